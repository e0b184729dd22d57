/**
 * The pieces of an answer on their way from an adapter through the engine to a door. They are the smallest common form of
 * streamed and whole answers, not a second set of chat types: messages are those of the contract.
 */

/** A piece of the answer. `index` is that of the part in the answer's content: 0, 1, 2 in the order of their beginnings. */
export type Delta =
  | { readonly kind: 'text'; readonly index: number; readonly text: string }
  | { readonly kind: 'reasoning'; readonly index: number; readonly text: string }
  | {
      readonly kind: 'tool_call';
      readonly index: number;
      /** Id and name, in the first delta of the call. */
      readonly id?: string | undefined;
      readonly name?: string | undefined;
      readonly argumentsFragment: string;
    }
  /** The part is complete; `state` is what the provider wants back with it, in the adapter's own form. */
  | { readonly kind: 'part_finished'; readonly index: number; readonly state?: Uint8Array | undefined };

/** Why an answer ended: the contract's `FinishReason` without its prefix. */
export type FinishReason = 'STOP' | 'LENGTH' | 'TOOL_CALLS' | 'CONTENT_FILTER' | 'REFUSAL' | 'OTHER';

/** Why a complete answer may be less than its provider had to say: its end has no known reason, a part has no known kind. */
export type AnswerDoubt = 'unknown_finish_reason' | 'unknown_output';

/** The end of an answer. */
export interface Finish {
  readonly reason: FinishReason;
  /** The provider's word for it. */
  readonly raw: string;
  /** The provider's id of the answer. */
  readonly responseId?: string | undefined;
  /** What the caller is warned of. */
  readonly doubts?: readonly AnswerDoubt[] | undefined;
  /** Where and how a complete answer is not of the form that the request asks for; may quote keys of the answer. */
  readonly mismatch?: string | undefined;
}
