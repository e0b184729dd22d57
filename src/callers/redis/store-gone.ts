import type { LimitStoreConfig } from '../../config/port/limit-store-config.ts';

/** Says to an operator that the store does not answer, why in a word, and what becomes of calls. */
export function storeGone({ failureMode }: LimitStoreConfig, why: string): string {
  const meanwhile = failureMode === 'open' ? 'are counted by this process alone' : 'of callers with limits are refused';
  return `The store of limits does not answer (${why}). Until it does, calls ${meanwhile}.`;
}
