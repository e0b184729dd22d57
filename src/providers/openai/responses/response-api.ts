import type { Failure } from '../../../core/failure.ts';
import type { AdapterTarget, Chat, Translator, WireRequest } from '../../port/adapter.ts';
import { NO_QUIRKS } from '../../port/quirk.ts';
import { askedEffort } from '../../shared/asked-effort.ts';
import type { GenerationSettings } from '../../shared/asked-tools.ts';
import { readChat } from '../../shared/asked-tools.ts';
import type { Takes } from '../../shared/conversation.ts';
import { refusedCall } from '../../shared/errors/refusal-failure.ts';
import { openAiModel } from '../../models/gpt-models.ts';
import type { OpenAiSettings } from '../shared/sampling.ts';
import { effortAs, fitEffort, OPENAI_RULES, openAiUser } from '../shared/sampling.ts';
import { asksForMarks, cacheMarks, NO_MARKS } from '../shared/input-parts.ts';
import { responsesEvents, responsesResponse } from './response-events.ts';
import { responsesInput } from './input-items.ts';
import { responsesToolFields } from '../shared/function-tools.ts';
import { openAiLimits } from '../../shared/headers/rate-limits.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import { stopAs, withoutCacheKey } from '../../shared/option-rules.ts';
import type { OptionTable, WireOptions } from '../../shared/option-table.ts';
import { translateOptions } from '../../shared/option-table.ts';
import { withProviderOptions } from '../../shared/provider-options.ts';
import { readingQuirks, readingQuirksInBand, readingQuirksInWhole } from '../../shared/quirks/read-quirk.ts';
import { renamedFields } from '../../shared/quirks/renamed-fields.ts';
import { toolIdForm, UP_TO_64 } from '../../shared/quirks/tool-id-forms.ts';
import { toolIdsFor } from '../../shared/tool-ids.ts';
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

/** The least `max_output_tokens` that the API takes. Source: its OpenAPI document. */
const MIN_TOKENS = 16;

const FEW_TOKENS = parameterAdjusted(
  'options.max_tokens',
  `The API takes no less than ${MIN_TOKENS}; it was sent that.`,
);

/** The options of the Responses API. It has no stop texts: the gateway looks for all of them. */
const RESPONSES_OPTIONS: OptionTable<OpenAiSettings> = {
  ...OPENAI_RULES,
  reasoningEffort: effortAs((effort) => ({ reasoning: { effort } })),
  maxTokens: (asked) => {
    if (asked === undefined) return {};
    return asked < MIN_TOKENS
      ? { fields: { max_output_tokens: MIN_TOKENS }, warnings: [FEW_TOKENS] }
      : { sentAs: 'max_output_tokens' };
  },
  stop: stopAs('stop', 0),
  seed: 'dropped',
  presencePenalty: 'dropped',
  frequencyPenalty: 'dropped',
  responseFormat: (format) => (format === undefined ? {} : { fields: { text: { format } } }),
  parallelToolCalls: { sentAs: 'parallel_tool_calls' },
  providerOptions: 'laid_over',
};

/** The same with the old name of the end user's id, and without what is newer than that. */
export const DATED_RESPONSES_OPTIONS: OptionTable<OpenAiSettings> = {
  ...RESPONSES_OPTIONS,
  endUser: openAiUser('user'),
  promptCacheKey: withoutCacheKey,
};

/** What the providers that speak the Responses API do differently. */
export interface ResponsesDialect {
  /** Fields of a streamed request. */
  readonly streamFields: Readonly<Record<string, unknown>>;
  readonly options: OptionTable<OpenAiSettings>;
}

/** The Responses API as OpenAI speaks it. The padding that it adds to events would double their size. */
export const OPENAI_RESPONSES: ResponsesDialect = {
  streamFields: { stream: true, stream_options: { include_obfuscation: false } },
  options: RESPONSES_OPTIONS,
};

/** Makes the translator of a provider that speaks the Responses API. Nothing is stored at the provider. */
export function responsesApi(dialect: ResponsesDialect): Translator {
  return {
    framing: 'sse',
    request: (chat, target) => responsesRequest(dialect, chat, target),
    response: readingQuirksInWhole(responsesResponse),
    events: () => readingQuirksInBand(responsesEvents()),
    failure: readingQuirks(refusedCall),
    limits: openAiLimits,
  };
}

function responsesRequest(dialect: ResponsesDialect, chat: Chat, target: AdapterTarget): WireRequest | Failure {
  const { model, quirks = NO_QUIRKS } = target;
  const read = readChat(chat, target, RESPONSES_TAKES);
  if ('failure' in read) return read.failure;
  const { turns, settings } = read;
  const takesMarks = !quirks.has('no prompt_cache_breakpoint');
  // What the assistant said cannot have a mark here.
  const marked = turns.filter(({ role }) => role !== 'assistant');
  const { instructions, input } = responsesInput(turns, {
    marks: takesMarks ? cacheMarks(marked, model) : NO_MARKS,
    asksForMarks: takesMarks && asksForMarks(turns, model),
    replaysReasoning: openAiModel(model)?.reasons !== false,
    systemRole: quirks.has('no developer') ? 'system' : 'developer',
    toolId: toolIdsFor(toolIdForm(UP_TO_64, quirks)),
  });
  const options = optionFields(dialect.options, settings, target);
  const written = {
    model,
    ...(instructions === '' ? {} : { instructions }),
    input,
    ...(quirks.size === 0 ? options.fields : renamedFields(options.fields, quirks)),
    ...(quirks.has('no store') ? {} : { store: false }),
    ...(target.stream ? streamFields(dialect.streamFields, target) : {}),
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

/** Only OpenAI itself pads its events, and another server may refuse the field that stops it. */
function streamFields(fields: JsonRecord, { ownHost = true, quirks = NO_QUIRKS }: AdapterTarget): JsonRecord {
  const isTaken = ownHost && !quirks.has('no stream_options') && !quirks.has('no include_obfuscation');
  return isTaken ? fields : { stream: true };
}

function optionFields(
  table: OptionTable<OpenAiSettings>,
  settings: GenerationSettings,
  { model, quirks = NO_QUIRKS }: AdapterTarget,
): WireOptions {
  const known = openAiModel(model);
  const effort = fitEffort(askedEffort(settings.options), known, known?.responsesEfforts ?? []);
  const options = translateOptions(table, { ...settings, known, effort });
  return {
    ...options,
    fields: {
      ...responsesToolFields(settings, !quirks.has('no strict')),
      ...options.fields,
      // Older endpoints return it only where they are asked; models that do not reason refuse to be.
      ...(known?.reasons === true && !quirks.has('no include') ? { include: ['reasoning.encrypted_content'] } : {}),
    },
  };
}
