import type { Failure } from '../../../core/failure.ts';
import type { Adapter, AdapterTarget, Chat, WireRequest } from '../../port/adapter.ts';
import type { WireOptions } from '../../shared/chat-options.ts';
import { dropSet, exactSeed, setOnly, withProviderOptions } from '../../shared/chat-options.ts';
import type { Asked } from '../../shared/asked-tools.ts';
import { readChat } from '../../shared/asked-tools.ts';
import type { Takes, Turn } from '../../shared/conversation.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import { chatEvents, chatResponse } from './completion-chunks.ts';
import { effortBesideTools } from './completion-effort.ts';
import type { MessageStyle } from './completion-messages.ts';
import { chatMessages } from './completion-messages.ts';
import { openAiFailure } from '../shared/error-codes.ts';
import { openAiModel } from '../../models/gpt-models.ts';
import type { EndUserField } from '../shared/sampling.ts';
import { sharedOptions } from '../shared/sampling.ts';
import { cacheMarks } from '../shared/input-parts.ts';
import { chatFormat, chatToolFields } from '../shared/function-tools.ts';
import { openAiLimits } from '../../shared/headers/rate-limits.ts';

/** The most stop texts that the API takes. */
const MAX_STOP = 4;

/** What the providers that speak Chat Completions do differently. */
export interface ChatDialect {
  /** What a model can be sent. */
  takes(model: string): Takes;
  /** Translates tools, format and all options but those of {@link withProviderOptions}. */
  options(asked: Asked, model: string, turns: readonly Turn[]): WireOptions | { readonly failure: Failure };
  /** The form of messages. `fields` are those of the options. */
  messages(model: string, fields: JsonRecord): Omit<MessageStyle, 'marks'>;
  /** The value of `stream_options`. */
  streamOptions(model: string): Readonly<Record<string, boolean>>;
  /** Whether reasoning gets a state, by which the caller brings it back. */
  readonly keepsReasoning: boolean;
}

/** Fields that have an old name, which every server knows, and a new one, which OpenAI's own models need. */
export interface FieldNames {
  readonly endUser: EndUserField;
  readonly maxTokens: 'max_tokens' | 'max_completion_tokens';
}

/** The names of OpenAI today: its reasoning models refuse `max_tokens`. */
export const NEW_NAMES: FieldNames = { endUser: 'safety_identifier', maxTokens: 'max_completion_tokens' };

/** The names that servers after OpenAI's model know; some, such as Ollama's, overlook the new ones without a word. */
const OLD_NAMES: FieldNames = { endUser: 'user', maxTokens: 'max_tokens' };

/** Images anywhere and PDF files, both in messages of the user alone. */
export const CHAT_TAKES: Takes = {
  tools: true,
  images: 'url_and_data',
  files: ['application/pdf'],
  mediaInToolResults: false,
  jsonObject: true,
  jsonSchema: true,
};

/** Chat Completions as OpenAI speaks it, and, with models that are not its own, as the many servers after its model do. */
export const OPENAI_CHAT: ChatDialect = {
  takes: () => CHAT_TAKES,
  options: (asked, model) => {
    const isOwn = openAiModel(model) !== undefined;
    return chatOptions(asked, model, isOwn ? NEW_NAMES : OLD_NAMES, isOwn);
  },
  messages: (model) => {
    const known = openAiModel(model);
    return {
      systemRole: known?.reasons === true ? 'developer' : 'system',
      partsInToolMessages: known !== undefined,
      replaysReasoning: false,
    };
  },
  // Only OpenAI pads its chunks, and other servers may refuse the field that stops it.
  streamOptions: (model) => ({
    include_usage: true,
    ...(openAiModel(model) === undefined ? {} : { include_obfuscation: false }),
  }),
  keepsReasoning: false,
};

/** Makes the adapter of a provider that speaks Chat Completions. */
export function chatCompletions(dialect: ChatDialect): Adapter {
  return {
    framing: 'sse',
    request: (chat, target) => chatRequest(dialect, chat, target),
    response: (json) => chatResponse(json, dialect.keepsReasoning),
    events: () => chatEvents(dialect.keepsReasoning),
    failure: openAiFailure,
    limits: openAiLimits,
  };
}

/** Splits stop texts into those that the provider looks for and the rest. */
export function splitStop(stop: readonly string[], takesStop: boolean): { remote: readonly string[]; local: string[] } {
  const most = takesStop ? MAX_STOP : 0;
  return { remote: stop.slice(0, most), local: stop.slice(most) };
}

function chatRequest(dialect: ChatDialect, chat: Chat, target: AdapterTarget): WireRequest | Failure {
  const { model } = target;
  const read = readChat(chat, target, dialect.takes(model));
  if ('failure' in read) return read.failure;
  const { turns, asked } = read;
  const options = dialect.options(asked, model, turns);
  if ('failure' in options) return options.failure;
  const style = { ...dialect.messages(model, options.fields), marks: cacheMarks(turns, model) };
  const written = {
    model,
    messages: chatMessages(turns, style),
    ...options.fields,
    ...(target.stream ? { stream: true, stream_options: dialect.streamOptions(model) } : {}),
  };
  const { body, warnings } = withProviderOptions(written, chat.options, target, 'stream_options');
  return {
    path: '/chat/completions',
    body,
    warnings: read.warnings.concat(options.warnings, warnings),
    localStop: options.localStop,
    ...(read.localSchema || options.localSchema === true ? { localSchema: true } : {}),
  };
}

/**
 * Translates the options of a request for a model of OpenAI, or one of which nothing is known: that gets everything.
 * `choosesAmong` says whether the API knows `allowed_tools`.
 */
export function chatOptions(
  asked: Asked,
  id: string,
  names: FieldNames,
  choosesAmong: boolean,
): WireOptions | { readonly failure: Failure } {
  const beside =
    asked.tools.length === 0 ? { options: asked.options, warnings: [] } : effortBesideTools(asked.options, id);
  if ('failure' in beside) return beside;
  const { options } = beside;
  const model = openAiModel(id);
  const shared = sharedOptions(options, model, model?.chatEfforts ?? [], names.endUser);
  const reasons = model?.reasons === true;
  const penalties = { presence_penalty: options?.presencePenalty, frequency_penalty: options?.frequencyPenalty };
  const stop = splitStop(options?.stop ?? [], !reasons);
  const seed = exactSeed(options);
  return {
    fields: {
      ...chatToolFields(asked, choosesAmong),
      ...shared.fields,
      ...setOnly({
        parallel_tool_calls: asked.tools.length === 0 ? undefined : options?.parallelToolCalls,
        response_format: asked.format === undefined ? undefined : chatFormat(asked.format),
        [names.maxTokens]: options?.maxTokens,
        reasoning_effort: shared.effort,
        stop: stop.remote.length === 0 ? undefined : stop.remote,
        seed,
      }),
      ...(reasons ? {} : setOnly(penalties)),
    },
    warnings: [
      ...beside.warnings,
      ...shared.warnings,
      ...(reasons ? dropSet(penalties) : []),
      ...(seed === undefined ? dropSet({ seed: options?.seed }) : []),
    ],
    localStop: stop.local,
  };
}
