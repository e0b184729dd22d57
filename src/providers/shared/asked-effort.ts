import { ReasoningEffort } from '../../../gen/understudy/v1/chat_pb.ts';
import type { AdapterWarning, Chat } from '../port/adapter.ts';
import type { Effort } from '../port/effort.ts';
import { EFFORTS } from '../port/effort.ts';
import { parameterAdjusted } from './warnings.ts';

const EFFORT_WORDS: ReadonlyMap<ReasoningEffort, Effort> = new Map<ReasoningEffort, Effort>([
  [ReasoningEffort.NONE, 'none'],
  [ReasoningEffort.MINIMAL, 'minimal'],
  [ReasoningEffort.LOW, 'low'],
  [ReasoningEffort.MEDIUM, 'medium'],
  [ReasoningEffort.HIGH, 'high'],
  [ReasoningEffort.XHIGH, 'xhigh'],
  [ReasoningEffort.MAX, 'max'],
]);

/** Returns the effort that a request asks for; undefined where it leaves that to the model. */
export function askedEffort(options: Chat['options']): Effort | undefined {
  return EFFORT_WORDS.get(options?.reasoningEffort ?? ReasoningEffort.UNSPECIFIED);
}

/**
 * Returns the effort of a list that is nearest to the one asked for; of two as near, the lower. Only who asks for `none` gets
 * it. The list has an effort besides `none`.
 */
export function nearestEffort(asked: Effort, taken: readonly Effort[]): Effort {
  const rank = EFFORTS.indexOf(asked);
  const distance = (effort: Effort): number => Math.abs(EFFORTS.indexOf(effort) - rank);
  const candidates = taken.filter((effort) => effort !== 'none' || asked === 'none');
  return candidates.reduce(
    (best, effort) => (distance(effort) < distance(best) ? effort : best),
    candidates[0] ?? asked,
  );
}

/** Says that a model gets another effort than the one asked for. */
export function effortAdjusted(effort: Effort): AdapterWarning {
  return parameterAdjusted('options.reasoning_effort', `The model does not take this effort; it gets ${effort}.`);
}
