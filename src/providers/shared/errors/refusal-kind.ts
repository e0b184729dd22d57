import type { ProviderFailureClass } from '../provider-failure.ts';

/** What an error means: the class of its failure. Too long is a kind of its own, since a larger model may take the request. */
export type RefusalKind = ProviderFailureClass | 'context_length';

/** What an error was found to mean. */
export interface ErrorMeaning {
  readonly kind: RefusalKind;
  /** The field of the request that is to blame, in the contract's names. */
  readonly field?: string | undefined;
  /** Whether a code or words say so; otherwise the status alone. */
  readonly isKnown: boolean;
}
