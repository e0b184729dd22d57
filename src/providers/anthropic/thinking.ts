import type { AdapterWarning } from '../port/adapter.ts';
import type { ClaudeModel } from '../models/claude-models.ts';
import { dropSet } from '../shared/chat-options.ts';
import type { Effort } from '../port/effort.ts';
import { effortAdjusted, nearestEffort } from '../shared/asked-effort.ts';
import { parameterAdjusted, parameterDropped } from '../shared/warnings.ts';

/** The fields of a request body that say how much to think, and what could not be done as asked. */
export interface Thinking {
  readonly fields: Readonly<Record<string, unknown>>;
  /** What stands in `output_config`, beside the format of the answer. */
  readonly outputConfig?: Readonly<Record<string, unknown>>;
  readonly warnings: readonly AdapterWarning[];
}

/** Tokens to think with, for models that are asked by a budget; the API takes 1,024 and more, below `max_tokens`. */
const BUDGETS = {
  minimal: 1_024,
  low: 2_048,
  medium: 8_192,
  high: 16_384,
  xhigh: 24_576,
  max: 32_768,
} as const satisfies Record<Exclude<Effort, 'none'>, number>;

/**
 * Says that a model is not to think although the request does not ask for that: a call of a tool is required, or the turn
 * that goes on was begun without reasoning, by another provider.
 */
export function withoutThinking(asked: Effort | undefined, model: ClaudeModel, why: string): Thinking {
  return {
    fields: model.off === undefined ? {} : { thinking: { type: model.off } },
    warnings: asked === undefined || asked === 'none' ? [] : [parameterDropped('options.reasoning_effort', why)],
  };
}

/**
 * Translates how much to reason. Where nothing is asked nothing is sent, so that the model's own default holds. Where
 * reasoning is asked for, its text is asked for too (`display`), because several models leave it out otherwise.
 */
export function thinkingOf(asked: Effort | undefined, model: ClaudeModel, maxTokens: number): Thinking {
  if (asked === undefined) return { fields: {}, warnings: [] };
  if (asked === 'none' && model.off !== undefined) return { fields: { thinking: { type: model.off } }, warnings: [] };
  if (asked !== 'none' && model.thinking === 'budget') return byBudget(asked, maxTokens);
  const effort = nearestEffort(asked, model.efforts);
  return {
    fields: asked === 'none' ? {} : { thinking: { type: 'adaptive', display: 'summarized' } },
    outputConfig: { effort },
    warnings: effort === asked ? [] : [effortAdjusted(effort)],
  };
}

/** At most half of the answer's tokens go to thinking, so that an answer is left. */
function byBudget(asked: Exclude<Effort, 'none'>, maxTokens: number): Thinking {
  const wanted = BUDGETS[asked];
  if (maxTokens <= BUDGETS.minimal) return { fields: {}, warnings: dropSet({ reasoning_effort: asked }) };
  const budget = Math.max(BUDGETS.minimal, Math.min(wanted, Math.floor(maxTokens / 2)));
  return {
    fields: { thinking: { type: 'enabled', budget_tokens: budget, display: 'summarized' } },
    warnings:
      budget < wanted
        ? [parameterAdjusted('options.reasoning_effort', 'The tokens to reason with were cut to fit max_tokens.')]
        : [],
  };
}
