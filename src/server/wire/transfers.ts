import type { System } from '../../core/ports.ts';
import { TRANSFER_LIMITS, type TransferLimits } from '../port/limits.ts';
import { ByteBudget, LEAST_BUDGET_BYTES } from './byte-budget.ts';
import { TransferWatch } from './transfer-watch.ts';

/** What holds requests and answers in bounds; the doors of a process share it. */
export interface Transfers {
  readonly limits: TransferLimits;
  readonly budget: ByteBudget;
  readonly watch: TransferWatch;
}

/**
 * Makes the bounds of a process.
 *
 * @param mostBytes of requests and unread answers together
 */
export function createTransfers(
  clock: Pick<System, 'now' | 'setIdleTimer'>,
  limits: TransferLimits = TRANSFER_LIMITS,
  mostBytes = LEAST_BUDGET_BYTES,
): Transfers {
  const budget = new ByteBudget(mostBytes);
  return { limits, budget, watch: new TransferWatch(clock, limits.transferMs, () => budget.isTight) };
}
