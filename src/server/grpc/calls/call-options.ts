import type { IncomingHttpHeaders } from 'node:http2';
import type { Runtime } from '../../../core/ports.ts';
import type { ErrorContext } from '../../errors/status.ts';
import type { CallMeter } from '../../port/observed/call-meter.ts';
import { chooseRequestId, REQUEST_ID_HEADER } from '../../port/limits.ts';
import type { FairTurns } from '../../wire/fair-turns.ts';
import type { ReadingPace } from '../../wire/reading-pace.ts';
import type { Transfers } from '../../wire/transfers.ts';

/** What the calls of a door share. */
export interface CallStreamOptions {
  readonly runtime: Pick<Runtime, 'now' | 'random' | 'setTimer' | 'clearTimer'>;
  readonly transfers: Transfers;
  /** Lets the calls of the door begin. */
  readonly turns: FairTurns;
  /** Counts the calls; absent: nobody does. */
  readonly meter?: CallMeter | undefined;
  /** How fast large requests are received. Default: as fast as they come. */
  readonly pace?: ReadingPace;
}

/** Returns what the error of a call says whose request nobody has looked at: the id that its caller has named, if any. */
export function contextOfUnread(headers: IncomingHttpHeaders, { runtime }: CallStreamOptions): ErrorContext {
  const header = headers[REQUEST_ID_HEADER];
  const requestId = chooseRequestId('', typeof header === 'string' ? header : null, () => '');
  return { requestId, random: () => runtime.random() };
}
