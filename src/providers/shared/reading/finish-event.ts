import type { AnswerDoubt, FinishReason } from '../../../core/answer.ts';
import type { AdapterEvent } from '../../port/adapter.ts';

/** What a reader knows of an answer when it ends. */
export interface EndOfAnswer {
  readonly reason: FinishReason;
  /** The provider's word; empty where it gave none. */
  readonly raw: string;
  /** Whether the word says why the answer has ended. */
  readonly isKnown: boolean;
  /** Whether a part of the answer is of a kind that the adapter does not know. */
  readonly hasUnknown: boolean;
}

/**
 * Returns why an answer ended by what it consists of: calls that the request forced end with STOP on the wire, and words
 * beside a call that was none end with TOOL_CALLS.
 */
export function reasonBesideCalls(reason: FinishReason, callCount: number, isEmpty: boolean): FinishReason {
  if (reason === 'STOP' && callCount > 0) return 'TOOL_CALLS';
  return reason === 'TOOL_CALLS' && callCount === 0 && !isEmpty ? 'STOP' : reason;
}

/** Makes the terminal marker of an answer, with what the caller has to be warned of. */
export function finishEvent({ reason, raw, isKnown, hasUnknown }: EndOfAnswer): AdapterEvent {
  if (isKnown && !hasUnknown) return { type: 'finish', reason, raw };
  const doubts: AnswerDoubt[] = [];
  if (!isKnown) doubts.push('unknown_finish_reason');
  if (hasUnknown) doubts.push('unknown_output');
  return { type: 'finish', reason, raw, doubts };
}
