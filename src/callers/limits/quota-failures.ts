import { rfc3339 } from '../../core/formats/utc-time.ts';
import type { Failure } from '../../core/failure.ts';
import { formatNano } from '../../core/money.ts';
import type { AccountLimits, CallerAccount } from '../port/caller.ts';
import type { BudgetRefusal, StoreRefusal } from '../port/limit-store.ts';

/** When to come again where calls under way are in the way, in milliseconds: nobody knows when they end. */
const COME_AGAIN_MS = 1_000;

const LIMIT_WORDS = {
  requestsPerMinute: { name: 'requests_per_minute', what: 'requests per minute' },
  tokensPerMinute: { name: 'tokens_per_minute', what: 'tokens per minute' },
  concurrentCalls: { name: 'concurrent_calls', what: 'calls at a time' },
} as const satisfies Record<keyof AccountLimits, { readonly name: string; readonly what: string }>;

/** Says what a store's refusal means to a call. It is of class `local_refusal` before the first attempt, and `budget` at one. */
export function quotaFailure(refusal: StoreRefusal): Failure {
  switch (refusal.kind) {
    case 'limited':
      return limitReached(refusal.account, refusal.limit, refusal.retryAfterMs ?? COME_AGAIN_MS);
    case 'exhausted':
      return {
        class: 'budget',
        reason: 'BUDGET_EXHAUSTED',
        message: exhausted(refusal),
        quota: budgetQuota(refusal),
      };
    case 'reserved':
      return {
        class: 'budget',
        reason: 'CALLER_RATE_LIMITED',
        message: `Other calls have reserved what is left of the budget of ${said(refusal)}.`,
        retryAfterMs: COME_AGAIN_MS,
        quota: budgetQuota(refusal),
      };
    case 'unavailable':
      return {
        class: 'budget',
        reason: 'LIMITS_UNAVAILABLE',
        message: 'The store in which limits and budgets are counted does not answer.',
      };
  }
}

/** A call that needs more than there ever is need not wait for the next period. */
function exhausted(refusal: Extract<StoreRefusal, { kind: 'exhausted' }>): string {
  const { needed, budget, renewsAtMs } = refusal;
  if (needed !== undefined && needed > budget.nanoUsd)
    return `The call may cost ${formatNano(needed)} USD, more than the whole budget of ${said(refusal)}: it needs a smaller max_tokens, a shorter prompt or a cheaper target.`;
  return `What is left of the budget of ${said(refusal)} does not cover what the call may cost; it renews at ${rfc3339(renewsAtMs)}.`;
}

/** The failure of an answer that has grown beyond what is left of a budget. It was paid for: nobody is to come again by themselves. */
export function answerTooLong(refusal: BudgetRefusal): Failure {
  return {
    class: 'budget',
    reason: 'BUDGET_EXHAUSTED',
    message: `The answer has grown beyond what is left of the budget of ${said(refusal)}; with max_tokens it is known before how long it gets.`,
    quota: budgetQuota(refusal),
  };
}

/** The failure of a call that can never be let in: it asks for more tokens than a minute gives. */
export function neverFits(account: CallerAccount, tokens: number): Failure {
  const { message, ...failure } = limitReached(account, 'tokensPerMinute', undefined);
  return { ...failure, message: `The request may take ${tokens} tokens. ${message}` };
}

function limitReached(
  { key, limits }: CallerAccount,
  limit: keyof AccountLimits,
  retryAfterMs: number | undefined,
): Failure {
  const { name, what } = LIMIT_WORDS[limit];
  const description = `${limits[limit] ?? 0} ${what}`;
  return {
    class: 'local_refusal',
    reason: 'CALLER_RATE_LIMITED',
    message: `The limit of ${key} is ${description} (${name}).`,
    retryAfterMs: retryAfterMs && Math.ceil(retryAfterMs),
    quota: { subject: key, description, metadata: { limit: name } },
  };
}

function said({ account, budget }: BudgetRefusal): string {
  return `${account.key} (${formatNano(budget.nanoUsd)} USD per ${budget.per})`;
}

function budgetQuota({ account, budget, renewsAtMs }: BudgetRefusal): Failure['quota'] {
  const renewsAt = rfc3339(renewsAtMs);
  return {
    subject: account.key,
    description: `budget of ${formatNano(budget.nanoUsd)} USD per ${budget.per}; renews at ${renewsAt}`,
    metadata: { budget: `${account.key} ${budget.per}`, renewsAt },
  };
}
