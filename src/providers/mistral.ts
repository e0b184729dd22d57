import type { Adapter, ListedModel } from './port/adapter.ts';
import type { GenerationSettings } from './shared/asked-tools.ts';
import { strictDropped } from './shared/asked-tools.ts';
import { listingCheck } from './shared/health-checks.ts';
import type { JsonRecord } from './shared/json/value.ts';
import { asRecord, recordsOf, textOf } from './shared/json/value.ts';
import { listedLimits } from './models/listed-limits.ts';
import { seedAs, sentCacheKey } from './shared/option-rules.ts';
import type { OptionTable, WireOptions } from './shared/option-table.ts';
import { translateOptions } from './shared/option-table.ts';
import { NINE_LETTERS } from './shared/quirks/tool-id-forms.ts';
import { CHAT_OPTIONS } from './openai/chat-completions/completion-options.ts';
import { CHAT_TAKES, chatCompletions } from './openai/chat-completions/completions.ts';
import { chatToolFields } from './openai/shared/function-tools.ts';

/**
 * Mistral's API: Chat Completions that refuses every field it does not know, `stream_options` among them; usage comes without
 * being asked for. docs/providers/mistral.md says what is sure, with the sources.
 */
export const mistral: Adapter = {
  ...chatCompletions({
    takes: () => ({ ...CHAT_TAKES, files: 'none' }),
    options: mistralOptions,
    messages: () => ({ systemRole: 'system', partsInToolMessages: false, replaysReasoning: 'never' }),
    toolIds: NINE_LETTERS,
    streamOptions: () => undefined,
    keepsReasoning: false,
  }),
  healthCheck: listingCheck('/models'),
  modelList: { path: '/models', read: (json) => recordsOf(asRecord(json)?.data).flatMap(listed) },
  silence: (_, reasoning) => (reasoning === 'asked' ? 'without_head' : 'short'),
};

interface MistralSettings extends GenerationSettings {
  readonly model: string;
}

const OPTIONS: OptionTable<MistralSettings> = {
  ...CHAT_OPTIONS,
  seed: seedAs('random_seed'),
  // Magistral always reasons; no other model need be told not to.
  reasoningEffort: (asked, { model }) => (asked === 'none' && !model.startsWith('magistral') ? {} : 'dropped'),
  endUser: 'dropped',
  promptCacheKey: sentCacheKey,
};

function mistralOptions(settings: GenerationSettings, model: string): WireOptions {
  const tools = settings.tools.map((tool) => ({ ...tool, strict: false }));
  const written = chatToolFields({ ...settings, tools }, false);
  const options = translateOptions(OPTIONS, { ...settings, model });
  return {
    ...options,
    fields: { ...written, ...(written.tool_choice === 'required' ? { tool_choice: 'any' } : {}), ...options.fields },
    warnings: [...strictDropped(settings.tools), ...options.warnings],
  };
}

/** The list has models for other purposes, too, and says of each which it is for. */
function listed(entry: JsonRecord): readonly ListedModel[] {
  if (asRecord(entry.capabilities)?.completion_chat === false) return [];
  return [{ id: textOf(entry.id), ...listedLimits(entry) }];
}
