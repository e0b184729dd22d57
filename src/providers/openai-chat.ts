import type { Failure } from '../core/failure.ts';
import type { Adapter, AdapterTarget, Chat, WireRequest } from './adapter.ts';
import type { Options, WireOptions } from './chat-options.ts';
import { dropSet, exactSeed, setOnly, withProviderOptions } from './chat-options.ts';
import type { Turn } from './conversation.ts';
import { readConversation, TEXT_ONLY, textsOf } from './conversation.ts';
import { chatEvents, chatResponse } from './openai-chat-answer.ts';
import { openAiFailure } from './openai-errors.ts';
import { openAiModel } from './openai-models.ts';
import type { EndUserField } from './openai-options.ts';
import { sharedOptions } from './openai-options.ts';
import { openAiLimits } from './rate-limits.ts';

/** The most stop texts that the API takes. */
const MAX_STOP = 4;

/** What the providers that speak Chat Completions do differently. */
export interface ChatDialect {
  /** Translates all options but those of {@link withProviderOptions}. */
  options(options: Options | undefined, model: string): WireOptions;
  /** The role of instructions. */
  systemRole(model: string): 'system' | 'developer';
  /** The value of `stream_options`. */
  streamOptions(model: string): Readonly<Record<string, boolean>>;
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

/** Chat Completions as OpenAI speaks it, and, with models that are not its own, as the many servers after its model do. */
export const OPENAI_CHAT: ChatDialect = {
  options: (options, model) => chatOptions(options, model, openAiModel(model) === undefined ? OLD_NAMES : NEW_NAMES),
  systemRole: (model) => (openAiModel(model)?.reasons === true ? 'developer' : 'system'),
  // Only OpenAI pads its chunks, and other servers may refuse the field that stops it.
  streamOptions: (model) => ({
    include_usage: true,
    ...(openAiModel(model) === undefined ? {} : { include_obfuscation: false }),
  }),
};

/** Makes the adapter of a provider that speaks Chat Completions. */
export function chatCompletions(dialect: ChatDialect): Adapter {
  return {
    framing: 'sse',
    request: (chat, target) => chatRequest(dialect, chat, target),
    response: chatResponse,
    events: chatEvents,
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
  const conversation = readConversation(chat, target, TEXT_ONLY);
  if ('failure' in conversation) return conversation.failure;
  const options = dialect.options(chat.options, target.model);
  const written = {
    model: target.model,
    messages: chatMessages(conversation.turns, dialect.systemRole(target.model)),
    ...options.fields,
    ...(target.stream ? { stream: true, stream_options: dialect.streamOptions(target.model) } : {}),
  };
  const { body, warnings } = withProviderOptions(written, chat.options, target, 'stream_options');
  return {
    path: '/chat/completions',
    body,
    warnings: conversation.warnings.concat(options.warnings, warnings),
    localStop: options.localStop,
  };
}

function chatMessages(turns: readonly Turn[], systemRole: string): readonly unknown[] {
  const written: unknown[] = [];
  for (const turn of turns) {
    const { role } = turn;
    const texts = textsOf(turn);
    if (texts.length === 0) continue;
    const content = texts.length === 1 ? texts[0] : texts.map((text) => ({ type: 'text', text }));
    written.push({ role: role === 'system' ? systemRole : role, content });
  }
  return written;
}

const NO_OPTIONS: WireOptions = { fields: {}, warnings: [], localStop: [] };

/** Translates the options of a request for a model of OpenAI, or one of which nothing is known: that gets everything. */
export function chatOptions(options: Options | undefined, id: string, names: FieldNames): WireOptions {
  if (options === undefined) return NO_OPTIONS;
  const model = openAiModel(id);
  const shared = sharedOptions(options, model, model?.chatEfforts ?? [], names.endUser);
  const reasons = model?.reasons === true;
  const penalties = { presence_penalty: options?.presencePenalty, frequency_penalty: options?.frequencyPenalty };
  const stop = splitStop(options?.stop ?? [], !reasons);
  const seed = exactSeed(options);
  return {
    fields: {
      ...shared.fields,
      ...setOnly({
        [names.maxTokens]: options?.maxTokens,
        reasoning_effort: shared.effort,
        stop: stop.remote.length === 0 ? undefined : stop.remote,
        seed,
      }),
      ...(reasons ? {} : setOnly(penalties)),
    },
    warnings: [
      ...shared.warnings,
      ...(reasons ? dropSet(penalties) : []),
      ...(seed === undefined ? dropSet({ seed: options?.seed }) : []),
    ],
    localStop: stop.local,
  };
}
