import type { Failure } from '../core/failure.ts';
import type { Adapter, AdapterWarning } from './port/adapter.ts';
import type { WireOptions } from './shared/chat-options.ts';
import { dropSet, fitEndUser, setOnly } from './shared/chat-options.ts';
import type { Asked } from './shared/asked-tools.ts';
import { NO_WORD_JSON, strictDropped } from './shared/asked-tools.ts';
import type { Turn } from './shared/conversation.ts';
import { saysJson } from './shared/conversation.ts';
import type { Effort } from './port/effort.ts';
import { askedEffort, effortAdjusted } from './shared/asked-effort.ts';
import type { JsonRecord } from './shared/json/value.ts';
import { asRecord } from './shared/json/value.ts';
import { CHAT_TAKES, chatCompletions, splitStop } from './openai/chat-completions/completions.ts';
import { chatToolFields } from './openai/shared/function-tools.ts';
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
export const deepseek: Adapter = chatCompletions({
  takes: (model) => ({ ...CHAT_TAKES, images: model.includes('flash') ? 'data' : 'none', files: 'none' }),
  options: deepseekOptions,
  messages: (model, { thinking }) => ({
    systemRole: 'system',
    partsInToolMessages: false,
    replaysReasoning: thinking === undefined ? thinksByItself(model) : asRecord(thinking)?.type === 'enabled',
  }),
  streamOptions: () => ({ include_usage: true }),
  keepsReasoning: true,
});

/** Options that thinking models ignore without a word, and the seed, which no page of DeepSeek's names, are left out. */
function deepseekOptions(
  asked: Asked,
  model: string,
  turns: readonly Turn[],
): WireOptions | { readonly failure: Failure } {
  const { options, tools, choice, format } = asked;
  if (format !== undefined && !turns.some(saysJson)) return NO_WORD_JSON;
  const thinking = thinkingFields(askedEffort(options), model, tools.length > 0 && choice.mode === 'required');
  const sampling = {
    temperature: options?.temperature,
    presence_penalty: options?.presencePenalty,
    frequency_penalty: options?.frequencyPenalty,
  };
  const stop = splitStop(options?.stop ?? [], true);
  const bytes = (text: string): number => new TextEncoder().encode(text).length;
  const endUser = fitEndUser('user_id', options?.endUser, (id) => bytes(id) <= MAX_USER_ID_BYTES);
  return {
    fields: {
      ...toolFields(asked, thinking.thinks),
      ...(thinking.thinks ? {} : setOnly(sampling)),
      ...setOnly({
        response_format: format === undefined ? undefined : { type: 'json_object' },
        top_p: options?.topP,
        max_tokens: options?.maxTokens,
        stop: stop.remote.length === 0 ? undefined : stop.remote,
      }),
      ...thinking.fields,
      ...endUser.fields,
    },
    warnings: [
      ...(thinking.thinks ? dropSet(sampling) : []),
      ...thinking.warnings,
      ...strictDropped(tools),
      ...dropSet({ seed: options?.seed }),
      ...(tools.length > 0 && options?.parallelToolCalls === false ? dropSet({ parallel_tool_calls: false }) : []),
      ...endUser.warnings,
    ],
    localStop: stop.local,
    ...(format?.type === 'json_schema' ? { localSchema: true } : {}),
  };
}

/** A thinking model refuses every word of a choice, so that tools that may not be called are not sent. */
function toolFields({ tools, choice }: Asked, thinks: boolean): JsonRecord {
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
