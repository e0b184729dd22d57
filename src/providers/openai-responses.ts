import type { Failure } from '../core/failure.ts';
import type { Adapter, AdapterTarget, Chat, WireRequest } from './adapter.ts';
import type { Options, WireOptions } from './chat-options.ts';
import { dropSet, setOnly, withProviderOptions } from './chat-options.ts';
import { asRecord, parseJson, textOf } from './json-value.ts';
import { openAiFailure } from './openai-errors.ts';
import { openAiModel } from './openai-models.ts';
import type { EndUserField } from './openai-options.ts';
import { sharedOptions } from './openai-options.ts';
import { responsesEvents, responsesResponse } from './openai-responses-answer.ts';
import { openAiLimits } from './rate-limits.ts';
import type { TextMessage } from './text-chat.ts';
import { textChat } from './text-chat.ts';

/** What the providers that speak the Responses API do differently. */
export interface ResponsesDialect {
  /** Fields of a streamed request. */
  readonly streamFields: Readonly<Record<string, unknown>>;
  readonly endUser: EndUserField;
}

/** The Responses API as OpenAI speaks it. The padding that it adds to events would double their size. */
export const OPENAI_RESPONSES: ResponsesDialect = {
  streamFields: { stream: true, stream_options: { include_obfuscation: false } },
  endUser: 'safety_identifier',
};

/** Makes the adapter of a provider that speaks the Responses API. Nothing is stored at the provider. */
export function responsesApi(dialect: ResponsesDialect): Adapter {
  return {
    framing: 'sse',
    request: (chat, target) => responsesRequest(dialect, chat, target),
    response: responsesResponse,
    events: responsesEvents,
    failure: openAiFailure,
    limits: openAiLimits,
  };
}

function responsesRequest(dialect: ResponsesDialect, chat: Chat, target: AdapterTarget): WireRequest | Failure {
  const text = textChat(chat, target.name);
  if ('failure' in text) return text.failure;
  const { messages } = text;
  const firstTurn = messages.findIndex((message) => message.role !== 'system');
  // A conversation of instructions alone has to be input: without any the API refuses the call.
  const leading = messages.slice(0, Math.max(0, firstTurn));
  const instructions = leading.flatMap((message) => message.texts).join('\n\n');
  const options = responsesOptions(chat.options, target.model, dialect.endUser);
  const written = {
    model: target.model,
    ...(instructions === '' ? {} : { instructions }),
    input: messages.slice(leading.length).flatMap(inputItems),
    ...options.fields,
    store: false,
    ...(target.stream ? dialect.streamFields : {}),
  };
  const { body, warnings } = withProviderOptions(written, chat.options, target, 'reasoning');
  return {
    path: '/responses',
    body,
    warnings: [...text.warnings, ...options.warnings, ...warnings],
    localStop: options.localStop,
  };
}

function inputItems(message: TextMessage): readonly unknown[] {
  const items = message.states.map(reasoningItem).filter((item) => item !== undefined);
  if (message.texts.length === 0) return items;
  const role = message.role === 'system' ? 'developer' : message.role;
  return [...items, { role, content: inputContent(message) }];
}

/** Words of the assistant are sent as one text: as parts they would need the ids of the answer that they came from. */
function inputContent({ role, texts }: TextMessage): unknown {
  const [first, ...rest] = texts;
  if (rest.length === 0) return first;
  return role === 'assistant' ? texts.join('') : texts.map((text) => ({ type: 'input_text', text }));
}

/** Only encrypted reasoning can be sent back where nothing is stored; anything else would refer to what is not there. */
function reasoningItem(state: Uint8Array): unknown {
  const item = asRecord(parseJson(new TextDecoder().decode(state)));
  return item?.type === 'reasoning' && textOf(item.encrypted_content) !== '' ? item : undefined;
}

function responsesOptions(options: Options | undefined, id: string, endUser: EndUserField): WireOptions {
  const model = openAiModel(id);
  const shared = sharedOptions(options, model, model?.responsesEfforts ?? [], endUser);
  return {
    fields: {
      ...shared.fields,
      ...setOnly({
        max_output_tokens: options?.maxTokens,
        reasoning: shared.effort === undefined ? undefined : { effort: shared.effort },
      }),
    },
    warnings: [
      ...shared.warnings,
      ...dropSet({
        seed: options?.seed,
        presence_penalty: options?.presencePenalty,
        frequency_penalty: options?.frequencyPenalty,
      }),
    ],
    localStop: options?.stop ?? [],
  };
}
