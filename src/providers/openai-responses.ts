import type { Failure } from '../core/failure.ts';
import type { Adapter, AdapterTarget, Chat, WireRequest } from './adapter.ts';
import type { Options, WireOptions } from './chat-options.ts';
import { dropSet, setOnly, withProviderOptions } from './chat-options.ts';
import type { Turn } from './conversation.ts';
import { readConversation, TEXT_ONLY, textsOf } from './conversation.ts';
import { asRecord, parseJson, textOf } from './json-value.ts';
import { openAiFailure } from './openai-errors.ts';
import { openAiModel } from './openai-models.ts';
import type { EndUserField } from './openai-options.ts';
import { sharedOptions } from './openai-options.ts';
import { responsesEvents, responsesResponse } from './openai-responses-answer.ts';
import { openAiLimits } from './rate-limits.ts';

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
  const conversation = readConversation(chat, target, TEXT_ONLY);
  if ('failure' in conversation) return conversation.failure;
  const { turns } = conversation;
  const firstTurn = turns.findIndex((turn) => turn.role !== 'system');
  // A conversation of instructions alone has to be input: without any the API refuses the call.
  const leading = turns.slice(0, Math.max(0, firstTurn));
  const instructions = leading.flatMap(textsOf).join('\n\n');
  const options = responsesOptions(chat.options, target.model, dialect.endUser);
  const written = {
    model: target.model,
    ...(instructions === '' ? {} : { instructions }),
    input: turns.slice(leading.length).flatMap(inputItems),
    ...options.fields,
    store: false,
    ...(target.stream ? dialect.streamFields : {}),
  };
  const { body, warnings } = withProviderOptions(written, chat.options, target, 'reasoning');
  return {
    path: '/responses',
    body,
    warnings: [...conversation.warnings, ...options.warnings, ...warnings],
    localStop: options.localStop,
  };
}

function inputItems(turn: Turn): readonly unknown[] {
  const items = turn.parts
    .map(({ state }) => (state === undefined ? undefined : reasoningItem(state)))
    .filter((item) => item !== undefined);
  const texts = textsOf(turn);
  if (texts.length === 0) return items;
  const role = turn.role === 'system' ? 'developer' : turn.role;
  return [...items, { role, content: inputContent(role, texts) }];
}

/** Words of the assistant are sent as one text: as parts they would need the ids of the answer that they came from. */
function inputContent(role: string, texts: readonly string[]): unknown {
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
