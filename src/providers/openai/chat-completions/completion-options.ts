import type { Failure } from '../../../core/failure.ts';
import { openAiModel } from '../../models/gpt-models.ts';
import { askedEffort } from '../../shared/asked-effort.ts';
import type { GenerationSettings } from '../../shared/asked-tools.ts';
import { seedAs, stopAs, withoutCacheKey } from '../../shared/option-rules.ts';
import type { OptionOutcome, OptionTable, WireOptions } from '../../shared/option-table.ts';
import { translateOptions } from '../../shared/option-table.ts';
import { chatFormat, chatToolFields } from '../shared/function-tools.ts';
import type { OpenAiSettings } from '../shared/sampling.ts';
import { effortAs, fitEffort, OPENAI_RULES, openAiUser } from '../shared/sampling.ts';
import { effortBesideTools } from './completion-effort.ts';

/** The most stop texts that the API takes. */
const MAX_STOP = 4;

/**
 * The options of Chat Completions as they are where a model takes everything, in the names that servers after OpenAI's model
 * know; some, such as Ollama's, overlook the new ones without a word.
 */
export const CHAT_OPTIONS: OptionTable<GenerationSettings> = {
  temperature: { sentAs: 'temperature' },
  topP: { sentAs: 'top_p' },
  reasoningEffort: { sentAs: 'reasoning_effort' },
  presencePenalty: { sentAs: 'presence_penalty' },
  frequencyPenalty: { sentAs: 'frequency_penalty' },
  maxTokens: { sentAs: 'max_tokens' },
  stop: stopAs('stop', MAX_STOP),
  responseFormat: (format) => (format === undefined ? {} : { fields: { response_format: chatFormat(format) } }),
  parallelToolCalls: { sentAs: 'parallel_tool_calls' },
  endUser: { sentAs: 'user' },
  seed: seedAs('seed'),
  promptCacheKey: withoutCacheKey,
  providerOptions: 'laid_over',
};

/** What OpenAI's models differ in from one another; one of which nothing is known gets everything. */
const BY_MODEL: OptionTable<OpenAiSettings> = {
  ...CHAT_OPTIONS,
  ...OPENAI_RULES,
  reasoningEffort: effortAs((effort) => ({ reasoning_effort: effort })),
  stop: (stop, { known }) => stopAs('stop', known?.reasons === true ? 0 : MAX_STOP)(stop),
  presencePenalty: unlessItReasons('presence_penalty'),
  frequencyPenalty: unlessItReasons('frequency_penalty'),
};

/** The names of OpenAI today: its reasoning models refuse `max_tokens`. */
export const OPENAI_OPTIONS: OptionTable<OpenAiSettings> = {
  ...BY_MODEL,
  maxTokens: { sentAs: 'max_completion_tokens' },
};

/** The same with the old name of the end user's id, and without what is newer than that. */
export const DATED_OPENAI_OPTIONS: OptionTable<OpenAiSettings> = {
  ...OPENAI_OPTIONS,
  endUser: openAiUser('user'),
  promptCacheKey: withoutCacheKey,
};

/** The same with all names old. */
export const COMPATIBLE_OPTIONS: OptionTable<OpenAiSettings> = { ...BY_MODEL, endUser: openAiUser('user') };

/**
 * Translates tools and options of a request for a model of OpenAI, or one of which nothing is known. `choosesAmong` says
 * whether the API knows `allowed_tools`.
 */
export function openAiChatOptions(
  table: OptionTable<OpenAiSettings>,
  settings: GenerationSettings,
  id: string,
  choosesAmong: boolean,
): WireOptions | { readonly failure: Failure } {
  const asked = askedEffort(settings.options);
  const beside = settings.tools.length === 0 ? { value: asked, warnings: [] } : effortBesideTools(asked, id);
  if ('failure' in beside) return beside;
  const known = openAiModel(id);
  const fitted = fitEffort(beside.value, known, known?.chatEfforts ?? []);
  const effort = { value: fitted.value, warnings: [...beside.warnings, ...fitted.warnings] };
  const options = translateOptions(table, { ...settings, known, effort });
  return { ...options, fields: { ...chatToolFields(settings, choosesAmong), ...options.fields } };
}

function unlessItReasons(sentAs: string) {
  return (_asked: number | undefined, { known }: OpenAiSettings): OptionOutcome =>
    known?.reasons === true ? 'dropped' : { sentAs };
}
