import type { AccountLimits, CallerAccount } from '../port/caller.ts';
import type { StoreRefusal } from '../port/limit-store.ts';
import { leastBudget } from './shared-account.ts';

/** The kind by which the script says that a call may begin, and that nothing is reserved for its first attempt. */
export const NOTHING_AHEAD = 4;

const LIMITS = ['requestsPerMinute', 'tokensPerMinute', 'concurrentCalls'] as const satisfies (keyof AccountLimits)[];

/** Reads why the script refused: kind, place of the account in the question, limit or period, and when there may be room. */
export function refusalOf(
  question: { readonly accounts: readonly CallerAccount[] },
  [kind, place = 1, which = 1, when = 0]: readonly number[],
): StoreRefusal {
  const account = question.accounts[place - 1];
  if (account === undefined) return { kind: 'unavailable' };
  if (kind === 1) {
    const limit = LIMITS[which - 1] ?? 'requestsPerMinute';
    return { kind: 'limited', account, limit, retryAfterMs: when < 0 ? undefined : when / 1_000 };
  }
  const budget = leastBudget(account, which === 1 ? 'day' : 'month');
  if (budget === undefined) return { kind: 'unavailable' };
  return { kind: kind === 2 ? 'exhausted' : 'reserved', account, budget, renewsAtMs: when };
}
