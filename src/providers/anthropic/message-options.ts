import type { ClaudeModel } from '../models/claude-models.ts';
import type { GenerationSettings } from '../shared/asked-tools.ts';
import { endUserAs } from '../shared/option-rules.ts';
import type { OptionOutcome, OptionTable } from '../shared/option-table.ts';
import { parameterAdjusted } from '../shared/warnings.ts';
import { choiceFields } from './tool-use.ts';

/** What the options of the Messages API depend on. */
export interface AnthropicSettings extends GenerationSettings {
  /** What the model takes. */
  readonly known: ClaudeModel;
  /** The `max_tokens` that are sent, see {@link answerLimit}. */
  readonly limit: number;
  /** What becomes of the effort; it depends on the conversation, too. */
  readonly thinking: OptionOutcome;
}

/** Longest `metadata.user_id`, in characters. Source: the API's OpenAPI document. */
const MAX_USER_ID_LENGTH = 512;

/** The options of the Messages API, in the dialect of `anthropic-version: 2026-10-21`, which rejects sampling. */
export const ANTHROPIC_OPTIONS: OptionTable<AnthropicSettings> = {
  maxTokens: (asked, { limit }) => ({
    fields: { max_tokens: limit },
    warnings:
      asked === undefined || asked <= limit
        ? []
        : [parameterAdjusted('options.max_tokens', `The model writes at most ${limit} tokens.`)],
  }),
  reasoningEffort: (_asked, { thinking }) => thinking,
  temperature: 'dropped',
  topP: 'dropped',
  seed: 'dropped',
  presencePenalty: 'dropped',
  frequencyPenalty: 'dropped',
  // The API refuses stop sequences of blanks alone.
  stop: (stop = []) => {
    const [remote, localStop] = [stop.filter((word) => !isBlank(word)), stop.filter(isBlank)];
    return { fields: remote.length === 0 ? {} : { stop_sequences: remote }, localStop };
  },
  // The schema always binds here, whether it is `strict` or not; its name has no place.
  responseFormat: (format) =>
    format?.type === 'json_schema'
      ? { fields: { output_config: { format: { type: format.type, schema: format.schema } } } }
      : {},
  parallelToolCalls: (parallel, { choice }) => ({ fields: choiceFields(choice, parallel) }),
  endUser: endUserAs('user_id', (id) => id.length <= MAX_USER_ID_LENGTH, 'metadata'),
  // It marks the end of the prompt as worth caching: see `prompt-turns.ts`.
  promptCacheKey: {},
  providerOptions: 'laid_over',
};

/**
 * `max_tokens` where the caller sets none; the API requires it, and thinking counts towards it. A stream may run long. A
 * JSON answer is silent until it is whole, and idle connections are dropped, so it stays well below the 21,333 tokens above
 * which Anthropic's own SDK refuses to wait.
 */
const DEFAULT_MAX_TOKENS = { stream: 32_000, json: 16_000 } as const;

/** Returns the `max_tokens` to send: those asked for or the default, and no more than the model writes. */
export function answerLimit(asked: number | undefined, { maxOutputTokens }: ClaudeModel, stream: boolean): number {
  const wanted = asked ?? (stream ? DEFAULT_MAX_TOKENS.stream : DEFAULT_MAX_TOKENS.json);
  return Math.min(wanted, maxOutputTokens ?? Number.POSITIVE_INFINITY);
}

function isBlank(word: string): boolean {
  return word.trim() === '';
}
