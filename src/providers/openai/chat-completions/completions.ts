import type { Failure } from '../../../core/failure.ts';
import type { AdapterTarget, Chat, Translator, WireRequest } from '../../port/adapter.ts';
import { openAiModel } from '../../models/gpt-models.ts';
import type { GenerationSettings } from '../../shared/asked-tools.ts';
import { readChat } from '../../shared/asked-tools.ts';
import type { Takes, Turn } from '../../shared/conversation.ts';
import { openAiLimits } from '../../shared/headers/rate-limits.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import type { WireOptions } from '../../shared/option-table.ts';
import { withProviderOptions } from '../../shared/provider-options.ts';
import type { ToolIdForm } from '../../shared/tool-ids.ts';
import { toolIdsFor } from '../../shared/tool-ids.ts';
import { openAiFailure } from '../shared/error-codes.ts';
import { cacheMarks } from '../shared/input-parts.ts';
import type { AnswerForms } from './completion-chunks.ts';
import { chatEvents, completionResponse } from './completion-chunks.ts';
import type { MessageStyle } from './completion-messages.ts';
import { chatMessages } from './completion-messages.ts';
import { COMPATIBLE_OPTIONS, openAiChatOptions, OPENAI_OPTIONS } from './completion-options.ts';

/** What the providers that speak Chat Completions do differently. */
export interface ChatDialect extends AnswerForms {
  /** What a model can be sent. */
  takes(model: string): Takes;
  /** Translates tools, format and all options but those of {@link withProviderOptions}. */
  options(
    settings: GenerationSettings,
    model: string,
    turns: readonly Turn[],
  ): WireOptions | { readonly failure: Failure };
  /** The form of messages. `fields` are those of the options. */
  messages(model: string, fields: JsonRecord): Omit<MessageStyle, 'marks' | 'toolId'>;
  /** Which ids of tool calls it takes; absent: any. */
  readonly toolIds?: ToolIdForm;
  /** The value of `stream_options`; undefined where the provider does not take the field. */
  streamOptions(model: string): Readonly<Record<string, boolean>> | undefined;
}

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
  options: (settings, model) => {
    const isOwn = openAiModel(model) !== undefined;
    return openAiChatOptions(isOwn ? OPENAI_OPTIONS : COMPATIBLE_OPTIONS, settings, model, isOwn);
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

/** Makes the translator of a provider that speaks Chat Completions. */
export function chatCompletions(dialect: ChatDialect): Translator {
  return {
    framing: 'sse',
    request: (chat, target) => chatRequest(dialect, chat, target),
    response: (json, text) => completionResponse(json, dialect, text),
    events: () => chatEvents(dialect),
    failure: openAiFailure,
    limits: openAiLimits,
  };
}

function chatRequest(dialect: ChatDialect, chat: Chat, target: AdapterTarget): WireRequest | Failure {
  const { model } = target;
  const read = readChat(chat, target, dialect.takes(model));
  if ('failure' in read) return read.failure;
  const { turns, settings } = read;
  const options = dialect.options(settings, model, turns);
  if ('failure' in options) return options.failure;
  const style = {
    ...dialect.messages(model, options.fields),
    marks: cacheMarks(turns, model),
    toolId: toolIdsFor(dialect.toolIds),
  };
  const streamOptions = target.stream ? dialect.streamOptions(model) : undefined;
  const written = {
    model,
    messages: chatMessages(turns, style),
    ...options.fields,
    ...(target.stream ? { stream: true } : {}),
    ...(streamOptions === undefined ? {} : { stream_options: streamOptions }),
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
