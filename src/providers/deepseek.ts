import type { Failure } from '../core/failure.ts';
import type { Adapter, AdapterWarning } from './port/adapter.ts';
import type { GenerationSettings } from './shared/asked-tools.ts';
import { NO_WORD_JSON, strictDropped } from './shared/asked-tools.ts';
import type { Turn } from './shared/conversation.ts';
import { saysJson } from './shared/conversation.ts';
import type { Effort } from './port/effort.ts';
import { askedEffort, effortAdjusted } from './shared/asked-effort.ts';
import { balanceCheck } from './shared/health-checks.ts';
import type { JsonRecord } from './shared/json/value.ts';
import { asRecord } from './shared/json/value.ts';
import { endUserAs } from './shared/option-rules.ts';
import type { OptionOutcome, OptionTable, WireOptions } from './shared/option-table.ts';
import { translateOptions } from './shared/option-table.ts';
import { CHAT_OPTIONS } from './openai/chat-completions/completion-options.ts';
import { CHAT_TAKES, chatCompletions } from './openai/chat-completions/completions.ts';
import { chatToolFields } from './openai/shared/function-tools.ts';
import { OPENAI_LIST } from './openai/shared/models-list.ts';
import { parameterAdjusted } from './shared/warnings.ts';

const MAX_USER_ID_BYTES = 512;

/** The three efforts that DeepSeek knows, and what it makes of the others. Source: https://api-docs.deepseek.com/guides/thinking_mode */
const EFFORTS = {
  minimal: 'low',
  low: 'low',
  medium: 'high',
  high: 'high',
  xhigh: 'high',
  max: 'max',
} as const satisfies Record<Exclude<Effort, 'none'>, Effort>;

/**
 * DeepSeek's API: Chat Completions with a switch for thinking, which is on where the request says nothing. While it thinks
 * every message of the assistant must come back with its reasoning.
 */
export const deepseek: Adapter = {
  ...chatCompletions({
    takes: (model) => ({ ...CHAT_TAKES, images: model.includes('flash') ? 'data' : 'none', files: 'none' }),
    options: deepseekOptions,
    messages: (model, { thinking }) => ({
      systemRole: 'system',
      partsInToolMessages: false,
      replaysReasoning: (thinking === undefined ? thinksByItself(model) : asRecord(thinking)?.type === 'enabled')
        ? 'always'
        : 'never',
    }),
    streamOptions: () => ({ include_usage: true }),
    keepsReasoning: true,
  }),
  // It tells whether the account has money left, too. Source: https://api-docs.deepseek.com/api/get-user-balance
  healthCheck: balanceCheck('/user/balance', ({ is_available: isAvailable }) => {
    if (typeof isAvailable !== 'boolean') return 'unknown';
    return isAvailable ? 'usable' : 'unusable';
  }),
  modelList: OPENAI_LIST,
  // Calls are queued behind comments; reasoning is streamed.
  silence: () => 'behind_signs',
};

interface DeepSeekSettings extends GenerationSettings {
  readonly thinking: Thinking;
}

/** Options that thinking models ignore without a word, and the seed, which no page of DeepSeek's names, are left out. */
const OPTIONS: OptionTable<DeepSeekSettings> = {
  ...CHAT_OPTIONS,
  temperature: unlessItThinks('temperature'),
  presencePenalty: unlessItThinks('presence_penalty'),
  frequencyPenalty: unlessItThinks('frequency_penalty'),
  reasoningEffort: (_asked, { thinking: { fields, warnings } }) => ({ fields, warnings }),
  responseFormat: (format) =>
    format === undefined
      ? {}
      : { fields: { response_format: { type: 'json_object' } }, localSchema: format.type === 'json_schema' },
  seed: 'dropped',
  parallelToolCalls: (parallel) => (parallel === false ? 'dropped' : {}),
  endUser: endUserAs('user_id', (id) => new TextEncoder().encode(id).length <= MAX_USER_ID_BYTES),
};

function unlessItThinks(sentAs: string) {
  return (_asked: number | undefined, { thinking }: DeepSeekSettings): OptionOutcome =>
    thinking.thinks ? 'dropped' : { sentAs };
}

function deepseekOptions(
  settings: GenerationSettings,
  model: string,
  turns: readonly Turn[],
): WireOptions | { readonly failure: Failure } {
  const { options, tools, choice, format } = settings;
  if (format !== undefined && !turns.some(saysJson)) return NO_WORD_JSON;
  const thinking = thinkingFields(askedEffort(options), model, tools.length > 0 && choice.mode === 'required');
  const translated = translateOptions(OPTIONS, { ...settings, thinking });
  return {
    ...translated,
    fields: { ...toolFields(settings, thinking.thinks), ...translated.fields },
    warnings: [...translated.warnings, ...strictDropped(tools)],
  };
}

/** A thinking model refuses every word of a choice, so that tools that may not be called are not sent. */
function toolFields({ tools, choice }: GenerationSettings, thinks: boolean): JsonRecord {
  if (thinks && choice.mode === 'none') return {};
  return chatToolFields({ tools: tools.map((tool) => ({ ...tool, strict: false })), choice }, false);
}

interface Thinking {
  readonly thinks: boolean;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly warnings: readonly AdapterWarning[];
}

/** `deepseek-chat` is the old name of a model that does not think by itself. */
function thinksByItself(model: string): boolean {
  return model !== 'deepseek-chat';
}

/** A thinking model cannot be made to call a tool. */
function thinkingFields(asked: Effort | undefined, model: string, mustCall: boolean): Thinking {
  const off = { thinks: false, fields: { thinking: { type: 'disabled' } }, warnings: [] };
  if (asked === 'none') return off;
  if (mustCall && (asked !== undefined || thinksByItself(model))) return { ...off, warnings: [NO_THINKING] };
  if (asked === undefined) return { thinks: thinksByItself(model), fields: {}, warnings: [] };
  const effort = EFFORTS[asked];
  const fields = { thinking: { type: 'enabled' }, reasoning_effort: effort };
  return { thinks: true, fields, warnings: effort === asked ? [] : [effortAdjusted(effort)] };
}

/** Source: https://github.com/deepseek-ai/DeepSeek-V3/issues/1376 */
const NO_THINKING = parameterAdjusted(
  'options.reasoning_effort',
  'The model does not reason where it must call a tool; it gets none.',
);
