import type { FailureReason } from '../../core/failure.ts';

/** Which conversation a request goes on with (engine rule A6). */
export interface Affinity {
  /** The same text in all requests of a conversation. */
  readonly key: string;
  /** What the request itself says of who is first, in any words; empty where it leaves that to the configuration. */
  readonly wish: string;
}

/** A conversation that another target has answered than the last time. */
export interface MovedConversation {
  /** Name of the target that gave the last answer before this one. */
  readonly from: string;
  /** Why it did not give this one; undefined where the request did not ask it. */
  readonly reason: FailureReason | undefined;
}
