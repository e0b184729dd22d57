import type { Effort } from '../port/effort.ts';
import { effortAdjusted, nearestEffort } from '../shared/asked-effort.ts';
import type { OptionOutcome } from '../shared/option-table.ts';
import { parameterAdjusted } from '../shared/warnings.ts';

/** These models take levels and cannot be told not to think. Source: https://docs.ollama.com/capabilities/thinking */
const TAKES_LEVELS = /(^|\/)gpt-oss/;

const LEVELS = ['low', 'medium', 'high'] as const satisfies readonly Effort[];

const ON_OR_OFF = parameterAdjusted(
  'options.reasoning_effort',
  'The model reasons or does not, whatever the effort; it was told to reason.',
);

/**
 * Translates how much to reason; where nothing is asked a model thinks if it can. Which levels a model takes stands in `/api/show` of new servers alone; older ones refuse
 * every level but for gpt-oss. So all other models are told to think or not to. One that cannot think refuses the request
 * when it is told to, which its adapter reads as a missing capability.
 */
export function ollamaThink(asked: Effort | undefined, model: string): OptionOutcome {
  if (asked === undefined) return {};
  if (!TAKES_LEVELS.test(model)) {
    return asked === 'none' ? { fields: { think: false } } : { fields: { think: true }, warnings: [ON_OR_OFF] };
  }
  const value = nearestEffort(asked, LEVELS);
  return { fields: { think: value }, warnings: value === asked ? [] : [effortAdjusted(value)] };
}
