import { Counter, Gauge, type Registry } from 'prom-client';

import type { TransferFigures } from '../../server/port/transfer-figures.ts';
import { memoryLimitBytes } from '../load/memory.ts';

/** Shows what requests and unread answers hold, what was refused for it, and the memory that there is. */
export function registerTransferMetrics(registry: Registry, figures: TransferFigures): void {
  const inFlight: Gauge<'of'> = new Gauge({
    name: 'understudy_bytes_in_flight',
    help: 'Bytes of requests that are received or answered, and of answers that their callers have not read.',
    labelNames: ['of'],
    registers: [registry],
    collect: () => {
      inFlight.set({ of: 'requests' }, figures.requestBytes);
      inFlight.set({ of: 'answers' }, figures.answerBytes);
    },
  });
  const limit = new Gauge({
    name: 'understudy_bytes_in_flight_limit',
    help: 'Most bytes of requests and unread answers together.',
    registers: [registry],
  });
  limit.set(figures.mostBytes);
  const refused: Counter<'reason'> = new Counter({
    name: 'understudy_transfers_refused_total',
    help: 'Requests that were refused for what they take, and answers that were cut off because nobody read them.',
    labelNames: ['reason'],
    registers: [registry],
    collect: () => {
      refused.reset();
      for (const [reason, count] of Object.entries(figures.refused)) refused.inc({ reason }, count);
    },
  });
  const memory = new Gauge({
    name: 'understudy_memory_limit_bytes',
    help: 'Memory that the process may take: that of its container, else of the machine. Compare process_resident_memory_bytes.',
    registers: [registry],
  });
  memory.set(memoryLimitBytes());
}
