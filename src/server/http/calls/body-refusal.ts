import type { ConnectError } from '@connectrpc/connect';
import type { Runtime } from '../../../core/ports.ts';
import type { ErrorContext } from '../../errors/status.ts';
import { type TransferFault, transferError } from '../../errors/transfer-errors.ts';
import { chooseRequestId, REQUEST_ID_HEADER } from '../../port/limits.ts';
import type { RefusedTransfer } from '../../port/transfer-figures.ts';
import type { Transfers } from '../../wire/transfers.ts';
import type { WebRequest } from '../exchange.ts';

/** Which refusal is counted for a fault. */
const COUNTED = {
  over_budget: 'bytes_in_flight',
  too_large: 'message_size',
  expands_too_much: 'message_size',
  too_much_text: 'message_shape',
  too_many_fields: 'message_shape',
  too_deep: 'message_shape',
  too_slow: 'receive_timeout',
  no_turn: 'turn_wait',
} as const satisfies Record<TransferFault, RefusedTransfer>;

/** What the refusals of a listener share. */
interface RefusalParts {
  readonly runtime: Pick<Runtime, 'random'>;
  readonly transfers: Pick<Transfers, 'budget'>;
}

/** Counts the refusal of a request for what its body takes, and makes its error. */
export function bodyRefusal(fault: TransferFault, request: WebRequest, parts: RefusalParts): ConnectError {
  parts.transfers.budget.refused[COUNTED[fault]] += 1;
  return transferError(fault, contextOfBody(request, parts));
}

/** Returns what the error says of a request that nobody has read: the id in its headers, where there is one. */
export function contextOfBody({ headers }: WebRequest, { runtime }: Pick<RefusalParts, 'runtime'>): ErrorContext {
  const header = headers[REQUEST_ID_HEADER];
  const requestId = chooseRequestId('', typeof header === 'string' ? header : null, () => '');
  return { requestId, random: () => runtime.random() };
}
