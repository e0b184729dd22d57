import type { Adapter } from './port/adapter.ts';
import type { GenerationSettings } from './shared/asked-tools.ts';
import { strictDropped } from './shared/asked-tools.ts';
import type { Effort } from './port/effort.ts';
import { effortAdjusted, nearestEffort } from './shared/asked-effort.ts';
import { listingCheck } from './shared/health-checks.ts';
import type { OptionOutcome, OptionTable, WireOptions } from './shared/option-table.ts';
import { translateOptions } from './shared/option-table.ts';
import { CHAT_OPTIONS } from './openai/chat-completions/completion-options.ts';
import { CHAT_TAKES, chatCompletions } from './openai/chat-completions/completions.ts';
import { chatFormat, chatToolFields } from './openai/shared/function-tools.ts';
import { OPENAI_LIST } from './openai/shared/models-list.ts';

/**
 * Groq's API: Chat Completions over open models of several makers.
 *
 * Sources: https://console.groq.com/docs/api-reference, https://console.groq.com/docs/reasoning,
 * https://console.groq.com/docs/structured-outputs.
 */
export const groq: Adapter = {
  ...chatCompletions({
    takes: (model) => ({ ...CHAT_TAKES, images: isGptOss(model) ? 'none' : 'url_and_data', files: 'none' }),
    options: groqOptions,
    messages: () => ({ systemRole: 'system', partsInToolMessages: false, replaysReasoning: 'never' }),
    streamOptions: () => ({ include_usage: true }),
    keepsReasoning: false,
  }),
  healthCheck: listingCheck('/models'),
  modelList: OPENAI_LIST,
  silence: (_, reasoning) => (reasoning === 'asked' ? 'without_head' : 'short'),
};

interface GroqSettings extends GenerationSettings {
  readonly model: string;
}

const OPTIONS: OptionTable<GroqSettings> = {
  ...CHAT_OPTIONS,
  maxTokens: { sentAs: 'max_completion_tokens' },
  presencePenalty: 'dropped',
  frequencyPenalty: 'dropped',
  reasoningEffort: (asked, { model }) => (asked === undefined ? {} : effortOf(asked, model)),
  responseFormat: (format, { model }) => {
    if (format?.type !== 'json_schema') return format === undefined ? {} : { fields: { response_format: format } };
    // Only these models are held to a schema; others attempt to match it.
    const strict = format.strict && isGptOss(model);
    return { fields: { response_format: chatFormat({ ...format, strict }) }, localSchema: !strict };
  },
};

function groqOptions(settings: GenerationSettings, model: string): WireOptions {
  const tools = settings.tools.map((tool) => ({ ...tool, strict: false }));
  const options = translateOptions(OPTIONS, { ...settings, model });
  return {
    ...options,
    fields: { ...chatToolFields({ ...settings, tools }, false), ...options.fields },
    warnings: [...strictDropped(settings.tools), ...options.warnings],
  };
}

const GPT_OSS_EFFORTS = ['low', 'medium', 'high'] as const satisfies readonly Effort[];

/** GPT-OSS takes three efforts and always reasons; Qwen3 reasons or does not; others take no effort. */
function effortOf(asked: Effort, model: string): OptionOutcome {
  if (isGptOss(model)) {
    const value = nearestEffort(asked, GPT_OSS_EFFORTS);
    return { fields: { reasoning_effort: value }, warnings: value === asked ? [] : [effortAdjusted(value)] };
  }
  if (model.startsWith('qwen/qwen3')) return { fields: { reasoning_effort: asked === 'none' ? 'none' : 'default' } };
  return asked === 'none' ? {} : 'dropped';
}

function isGptOss(model: string): boolean {
  return model.includes('gpt-oss');
}
