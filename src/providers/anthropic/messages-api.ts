import type { Failure } from '../../core/failure.ts';
import type { Adapter, AdapterTarget, AdapterWarning, Chat, WireRequest } from '../port/adapter.ts';
import { anthropicEvents, anthropicResponse } from './message-events.ts';
import { ANTHROPIC_FILE_TYPES } from './content-blocks.ts';
import { anthropicFailure } from './error-types.ts';
import type { ClaudeModel } from '../models/claude-models.ts';
import { claudeModel } from '../models/claude-models.ts';
import { anthropicPrompt } from './prompt-turns.ts';
import type { Thinking } from './thinking.ts';
import { thinkingOf, withoutThinking } from './thinking.ts';
import { anthropicTools } from './tool-use.ts';
import { dropSet, fitEndUser, withProviderOptions } from '../shared/chat-options.ts';
import type { ReadFormat } from '../shared/asked-tools.ts';
import { readAsked } from '../shared/asked-tools.ts';
import type { Takes } from '../shared/conversation.ts';
import { readConversation } from '../shared/conversation.ts';
import { askedEffort } from '../shared/asked-effort.ts';
import { anthropicLimits } from '../shared/headers/rate-limits.ts';
import { parameterAdjusted } from '../shared/warnings.ts';

/**
 * `max_tokens` where the caller sets none; the API requires it, and thinking counts towards it. A stream may run long. A
 * JSON answer is silent until it is whole, and idle connections are dropped, so it stays well below the 21,333 tokens above
 * which Anthropic's own SDK refuses to wait.
 */
const DEFAULT_MAX_TOKENS = { stream: 32_000, json: 16_000 } as const;

/** Longest `metadata.user_id`, in characters. Source: the API's OpenAPI document. */
const MAX_USER_ID_LENGTH = 512;

/**
 * Translates between the contract and Anthropic's Messages API, in the dialect of `anthropic-version: 2026-10-21`, which
 * rejects temperature and top_p.
 */
export const anthropic: Adapter = {
  framing: 'sse',
  request: anthropicRequest,
  response: anthropicResponse,
  events: anthropicEvents,
  failure: anthropicFailure,
  limits: anthropicLimits,
};

/**
 * There is no mode for JSON without a schema, and a forced tool would not be one. Formats of images are those that the
 * contract has.
 */
const TAKES: Takes = {
  tools: true,
  images: 'url_and_data',
  files: ANTHROPIC_FILE_TYPES,
  mediaInToolResults: true,
  jsonObject: false,
  jsonSchema: true,
};

function anthropicRequest(chat: Chat, target: AdapterTarget): WireRequest | Failure {
  const conversation = readConversation(chat, target, TAKES);
  if ('failure' in conversation) return conversation.failure;
  const model = claudeModel(target.model);
  const { options } = chat;
  const asked = readAsked(chat);
  if ('failure' in asked) return asked.failure;
  const tools = anthropicTools(asked, options?.parallelToolCalls, model);
  if ('failure' in tools) return tools.failure;
  const prompt = anthropicPrompt(conversation.turns, model, target.model);
  if ('failure' in prompt) return prompt.failure;
  const limit = maxTokens(options?.maxTokens, model, target.stream);
  const isForced = asked.tools.length > 0 && asked.choice.mode === 'required';
  const thinking = chooseThinking(options, model, limit.value, isForced, prompt.continuesWithoutThinking);
  const stop = options?.stop ?? [];
  // The API refuses stop sequences of blanks alone.
  const remoteStop = stop.filter((word) => word.trim() !== '');
  const endUser = fitEndUser('user_id', options?.endUser, (id) => id.length <= MAX_USER_ID_LENGTH);
  const outputConfig = { ...thinking.outputConfig, ...formatField(asked.format) };
  const written = {
    model: target.model,
    stream: target.stream,
    ...tools.fields,
    ...(prompt.system.length > 0 && { system: prompt.system }),
    messages: prompt.messages,
    max_tokens: limit.value,
    ...(remoteStop.length > 0 && { stop_sequences: remoteStop }),
    ...(endUser.fields['user_id'] !== undefined && { metadata: endUser.fields }),
    ...thinking.fields,
    ...(Object.keys(outputConfig).length > 0 && { output_config: outputConfig }),
  };
  const { body, warnings } = withProviderOptions(written, options, target, 'output_config');
  return {
    path: '/v1/messages',
    body,
    warnings: [
      ...prompt.warnings,
      ...conversation.warnings,
      ...limit.warnings,
      ...thinking.warnings,
      ...dropped(options),
      ...endUser.warnings,
      ...warnings,
    ],
    localStop: stop.filter((word) => word.trim() === ''),
  };
}

function chooseThinking(
  options: Chat['options'],
  model: ClaudeModel,
  limit: number,
  isForced: boolean,
  continuesWithoutThinking: boolean,
): Thinking {
  const asked = askedEffort(options);
  if (isForced) return withoutThinking(asked, model, 'The model does not reason where it must call a tool.');
  const asks = asked !== undefined && asked !== 'none';
  return asks && model.thinking === 'budget' && continuesWithoutThinking
    ? withoutThinking(asked, model, 'The model goes on without reasoning where a turn was begun without.')
    : thinkingOf(asked, model, limit);
}

/** The schema always binds here, whether it is `strict` or not; its name has no place. */
function formatField(format: ReadFormat | undefined) {
  return format?.type === 'json_schema' ? { format: { type: format.type, schema: format.schema } } : {};
}

function maxTokens(asked: number | undefined, model: ClaudeModel, stream: boolean) {
  const most = model.maxOutputTokens ?? Number.POSITIVE_INFINITY;
  const wanted = asked ?? (stream ? DEFAULT_MAX_TOKENS.stream : DEFAULT_MAX_TOKENS.json);
  const warnings: AdapterWarning[] =
    asked !== undefined && asked > most
      ? [parameterAdjusted('options.max_tokens', `The model writes at most ${most} tokens.`)]
      : [];
  return { value: Math.min(wanted, most), warnings };
}

function dropped(options: Chat['options']): readonly AdapterWarning[] {
  return dropSet({
    temperature: options?.temperature,
    top_p: options?.topP,
    seed: options?.seed,
    presence_penalty: options?.presencePenalty,
    frequency_penalty: options?.frequencyPenalty,
  });
}
