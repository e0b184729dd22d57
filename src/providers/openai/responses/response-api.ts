import type { Failure } from '../../../core/failure.ts';
import type { Adapter, AdapterTarget, Chat, WireRequest } from '../../port/adapter.ts';
import type { WireOptions } from '../../shared/chat-options.ts';
import { dropSet, setOnly, withProviderOptions } from '../../shared/chat-options.ts';
import type { Asked } from '../../shared/asked-tools.ts';
import { readChat } from '../../shared/asked-tools.ts';
import type { Takes } from '../../shared/conversation.ts';
import { openAiFailure } from '../shared/error-codes.ts';
import { openAiModel } from '../../models/gpt-models.ts';
import type { EndUserField } from '../shared/sampling.ts';
import { sharedOptions } from '../shared/sampling.ts';
import { cacheMarks } from '../shared/input-parts.ts';
import { responsesEvents, responsesResponse } from './response-events.ts';
import { responsesInput } from './input-items.ts';
import { responsesToolFields } from '../shared/function-tools.ts';
import { openAiLimits } from '../../shared/headers/rate-limits.ts';
import { parameterAdjusted } from '../../shared/warnings.ts';

/** Everything; which types of files a model reads, the provider decides. */
const RESPONSES_TAKES: Takes = {
  tools: true,
  images: 'url_and_data',
  files: 'any',
  mediaInToolResults: true,
  jsonObject: true,
  jsonSchema: true,
};

/** What the providers that speak the Responses API do differently. */
export interface ResponsesDialect {
  /** Fields of a streamed request. */
  readonly streamFields: Readonly<Record<string, unknown>>;
  readonly endUser: EndUserField;
}

/** The least `max_output_tokens` that the API takes. Source: its OpenAPI document. */
const MIN_TOKENS = 16;

const FEW_TOKENS = parameterAdjusted(
  'options.max_tokens',
  `The API takes no less than ${MIN_TOKENS}; it was sent that.`,
);

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
  const read = readChat(chat, target, RESPONSES_TAKES);
  if ('failure' in read) return read.failure;
  const { turns, asked } = read;
  // What the assistant said cannot have a mark here.
  const marks = cacheMarks(
    turns.filter(({ role }) => role !== 'assistant'),
    target.model,
  );
  const { instructions, input } = responsesInput(turns, marks, openAiModel(target.model)?.reasons !== false);
  const options = responsesOptions(asked, target.model, dialect.endUser);
  const written = {
    model: target.model,
    ...(instructions === '' ? {} : { instructions }),
    input,
    ...options.fields,
    store: false,
    ...(target.stream ? dialect.streamFields : {}),
  };
  const { body, warnings } = withProviderOptions(written, chat.options, target, 'reasoning', 'text');
  return {
    path: '/responses',
    body,
    warnings: [...read.warnings, ...options.warnings, ...warnings],
    localStop: options.localStop,
    ...(read.localSchema ? { localSchema: true } : {}),
  };
}

function responsesOptions(asked: Asked, id: string, endUser: EndUserField): WireOptions {
  const { options, format } = asked;
  const model = openAiModel(id);
  const shared = sharedOptions(options, model, model?.responsesEfforts ?? [], endUser);
  return {
    fields: {
      ...responsesToolFields(asked),
      ...shared.fields,
      ...setOnly({
        parallel_tool_calls: asked.tools.length === 0 ? undefined : options?.parallelToolCalls,
        text: format === undefined ? undefined : { format },
        max_output_tokens: options?.maxTokens === undefined ? undefined : Math.max(options.maxTokens, MIN_TOKENS),
        reasoning: shared.effort === undefined ? undefined : { effort: shared.effort },
        // Older endpoints return it only where they are asked; models that do not reason refuse to be.
        include: model?.reasons === true ? ['reasoning.encrypted_content'] : undefined,
      }),
    },
    warnings: [
      ...shared.warnings,
      ...(options?.maxTokens !== undefined && options.maxTokens < MIN_TOKENS ? [FEW_TOKENS] : []),
      ...dropSet({
        seed: options?.seed,
        presence_penalty: options?.presencePenalty,
        frequency_penalty: options?.frequencyPenalty,
      }),
    ],
    localStop: options?.stop ?? [],
  };
}
