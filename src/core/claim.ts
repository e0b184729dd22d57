import type { Failure } from './failure.ts';

/** Leave for something that costs, which others must give way for first. */
export interface PendingClaim {
  /** Resolves when it is decided: undefined is leave. Never rejects. */
  readonly decided: Promise<Failure | undefined>;
  /** Waits no longer: it is decided in this turn, and what is granted later all the same goes back by itself. */
  cancel(): void;
}

/** What is said to a claim: undefined is leave. */
export type ClaimAnswer = Failure | PendingClaim | undefined;

/** What an attempt may cost, in nano-USD. */
export interface CostBounds {
  /** The most. */
  readonly most: bigint;
  /** What it costs however short its answer: where the request does not bound that, so much must be left. Otherwise as `most`. */
  readonly least: bigint;
}
