import type { DistinctName, ProviderName } from '../../core/provider.ts';
import { isCompatible } from '../../core/provider.ts';
import { claudeModel } from '../models/claude-models.ts';
import { openAiModel } from '../models/gpt-models.ts';

/**
 * Whether a model may say nothing for long before its first output although all is well (engine, "Timers"): it reasons, it must
 * be loaded first, or nothing is known of it at a provider whose models reason in silence.
 */
const MAY_BE_SILENT = {
  'azure-openai': (model) => openAiModel(model)?.reasons ?? true,
  openai: (model, isResponses) => openAiModel(model)?.reasons ?? isResponses,
  anthropic: (model) => claudeModel(model).thinking === 'adaptive',
  deepseek: () => true,
  ollama: () => true,
  mock: () => false,
} as const satisfies Record<DistinctName, (model: string, isResponses: boolean) => boolean>;

/** Tells whether a model may be silent for long before its first output. `isResponses`: it is asked over OpenAI's Responses. */
export function mayBeSilent(provider: ProviderName, model: string, isResponses: boolean): boolean {
  // Of the others none is known to reason in silence.
  return !isCompatible(provider) && MAY_BE_SILENT[provider](model, isResponses);
}
