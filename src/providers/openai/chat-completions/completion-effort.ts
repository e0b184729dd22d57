import type { Failure } from '../../../core/failure.ts';
import type { Effort } from '../../port/effort.ts';
import { openAiModel } from '../../models/gpt-models.ts';
import { unsupported } from '../../shared/provider-failure.ts';
import { parameterAdjusted, parameterDropped } from '../../shared/warnings.ts';
import type { FittedEffort } from '../shared/sampling.ts';

/**
 * Fits the reasoning effort to what OpenAI's models take beside function tools on Chat Completions: from GPT-5.6 on only the
 * effort `none`, and that explicitly; from GPT-5.2 on no effort. Models that always reason take no tools there.
 *
 * Sources: https://github.com/BerriAI/litellm/pull/34569, https://github.com/openai/openai-openapi/issues/541,
 * https://github.com/livekit/agents/pull/5088.
 */
export function effortBesideTools(asked: Effort | undefined, id: string): FittedEffort | { readonly failure: Failure } {
  const generation = generationOf(id);
  if (generation < 502) return { value: asked, warnings: [] };
  if (generation < 506) {
    return { value: undefined, warnings: asked === undefined || asked === 'none' ? [] : [DROPPED] };
  }
  if (openAiModel(id)?.chatEfforts.includes('none') !== true) {
    return { failure: unsupported('tools', 'The model takes tools only on the Responses API.') };
  }
  return { value: 'none', warnings: asked === 'none' ? [] : [ADJUSTED] };
}

const FIELD = 'options.reasoning_effort';
const DROPPED = parameterDropped(FIELD, 'Beside tools the model takes no effort on Chat Completions; it was left out.');
const ADJUSTED = parameterAdjusted(FIELD, 'Beside tools the model does not reason on Chat Completions; it gets none.');

/** Version of one of OpenAI's reasoning models as a number: 506 is GPT-5.6. All others are 0. */
function generationOf(id: string): number {
  if (openAiModel(id)?.reasons !== true) return 0;
  const version = /^(?:ft:)?gpt-(\d+)(?:\.(\d+))?/.exec(id);
  return version === null ? 0 : Number(version[1]) * 100 + Number(version[2] ?? 0);
}
