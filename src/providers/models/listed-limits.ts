import type { ModelFacts } from '../port/model-facts.ts';
import type { JsonRecord } from '../shared/json/value.ts';
import { asRecord, countOf } from '../shared/json/value.ts';

type Limits = Pick<ModelFacts, 'contextWindow' | 'maxOutputTokens'>;

/**
 * Reads how much a model takes from its entry in a server's list, under the names that servers have for it; what is not said, or
 * is 0, stays absent. What a model was trained for (llama.cpp's `n_ctx_train`) says nothing of how it is served.
 */
export function listedLimits(entry: JsonRecord): Limits {
  const contextWindow = firstCount([
    entry.max_model_len, // vLLM, SGLang
    asRecord(entry.meta)?.n_ctx, // llama.cpp
    entry.loaded_context_length, // LM Studio, as loaded; beside it stands what the model could have
    asRecord(entry.top_provider)?.context_length, // OpenRouter, of the host that is asked first
    entry.context_length, // OpenRouter, Together, Fireworks
    entry.context_window, // Groq
    entry.max_context_length, // Mistral, LM Studio
    entry.context_size, // Novita
    entry.max_input_tokens, // Anthropic
  ]);
  const maxOutputTokens = firstCount([
    entry.max_output_tokens, // LiteLLM
    entry.max_completion_tokens, // Groq
    asRecord(entry.top_provider)?.max_completion_tokens, // OpenRouter
  ]);
  return {
    ...(contextWindow === undefined ? {} : { contextWindow }),
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
  };
}

function firstCount(values: readonly unknown[]): number | undefined {
  return values.map(countOf).find((count) => count !== undefined && count > 0);
}
