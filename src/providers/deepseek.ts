import type { Adapter, AdapterWarning } from './adapter.ts';
import type { Options, WireOptions } from './chat-options.ts';
import { dropSet, fitEndUser, setOnly } from './chat-options.ts';
import type { Effort } from './effort.ts';
import { askedEffort, effortAdjusted } from './effort.ts';
import { chatCompletions, OPENAI_CHAT, splitStop } from './openai-chat.ts';

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

/** DeepSeek's API: Chat Completions with a switch for thinking, which is on where the request says nothing. */
export const deepseek: Adapter = chatCompletions({
  ...OPENAI_CHAT,
  options: deepseekOptions,
  systemRole: () => 'system',
  streamOptions: () => ({ include_usage: true }),
});

/** Options that thinking models ignore without a word, and the seed, which no page of DeepSeek's names, are left out. */
function deepseekOptions(options: Options | undefined, model: string): WireOptions {
  const thinking = thinkingFields(askedEffort(options), model);
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
      ...(thinking.thinks ? {} : setOnly(sampling)),
      ...setOnly({
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
      ...dropSet({ seed: options?.seed }),
      ...endUser.warnings,
    ],
    localStop: stop.local,
  };
}

interface Thinking {
  readonly thinks: boolean;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly warnings: readonly AdapterWarning[];
}

/** `deepseek-chat` is the old name of a model that does not think by itself. */
function thinkingFields(asked: Effort | undefined, model: string): Thinking {
  if (asked === undefined) return { thinks: model !== 'deepseek-chat', fields: {}, warnings: [] };
  if (asked === 'none') return { thinks: false, fields: { thinking: { type: 'disabled' } }, warnings: [] };
  const effort = EFFORTS[asked];
  const fields = { thinking: { type: 'enabled' }, reasoning_effort: effort };
  return { thinks: true, fields, warnings: effort === asked ? [] : [effortAdjusted(effort)] };
}
