import type { ClaudeModel } from '../models/claude-models.ts';
import type { Effort } from '../port/effort.ts';
import { effortAdjusted, nearestEffort } from '../shared/asked-effort.ts';
import type { OptionOutcome } from '../shared/option-table.ts';
import { parameterAdjusted, parameterDropped } from '../shared/warnings.ts';

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
export function withoutThinking(asked: Effort | undefined, model: ClaudeModel, why: string): OptionOutcome {
  return {
    fields: model.off === undefined ? {} : { thinking: { type: model.off } },
    warnings: asked === undefined || asked === 'none' ? [] : [parameterDropped('options.reasoning_effort', why)],
  };
}

/**
 * Translates how much to reason. Where nothing is asked nothing is sent, so that the model's own default holds. Where
 * reasoning is asked for, its text is asked for too (`display`), because several models leave it out otherwise.
 */
export function thinkingOf(asked: Effort | undefined, model: ClaudeModel, maxTokens: number): OptionOutcome {
  if (asked === undefined) return {};
  if (asked === 'none' && model.off !== undefined) return { fields: { thinking: { type: model.off } } };
  if (asked !== 'none' && model.thinking === 'budget') return byBudget(asked, maxTokens);
  const effort = nearestEffort(asked, model.efforts);
  return {
    fields: {
      ...(asked === 'none' ? {} : { thinking: { type: 'adaptive', display: 'summarized' } }),
      output_config: { effort },
    },
    warnings: effort === asked ? [] : [effortAdjusted(effort)],
  };
}

/** At most half of the answer's tokens go to thinking, so that an answer is left. */
function byBudget(asked: Exclude<Effort, 'none'>, maxTokens: number): OptionOutcome {
  const wanted = BUDGETS[asked];
  if (maxTokens <= BUDGETS.minimal) return 'dropped';
  const budget = Math.max(BUDGETS.minimal, Math.min(wanted, Math.floor(maxTokens / 2)));
  return {
    fields: { thinking: { type: 'enabled', budget_tokens: budget, display: 'summarized' } },
    warnings:
      budget < wanted
        ? [parameterAdjusted('options.reasoning_effort', 'The tokens to reason with were cut to fit max_tokens.')]
        : [],
  };
}
