import type { Failure } from '../core/failure.ts';
import type { Adapter, AdapterTarget, AdapterWarning, Chat, WireRequest } from './adapter.ts';
import { anthropicEvents, anthropicResponse } from './anthropic-answer.ts';
import { anthropicFailure } from './anthropic-errors.ts';
import type { ClaudeModel } from './anthropic-models.ts';
import { claudeModel } from './anthropic-models.ts';
import { anthropicPrompt } from './anthropic-prompt.ts';
import { thinkingOf } from './anthropic-thinking.ts';
import { dropSet, withProviderOptions } from './chat-options.ts';
import { readConversation, TEXT_ONLY } from './conversation.ts';
import { askedEffort } from './effort.ts';
import { anthropicLimits } from './rate-limits.ts';
import { parameterAdjusted } from './warnings.ts';

/**
 * `max_tokens` where the caller sets none; the API requires it, and thinking counts towards it. A stream may run long. A
 * JSON answer is silent until it is whole, and idle connections are dropped, so it stays well below the 21,333 tokens above
 * which Anthropic's own SDK refuses to wait.
 */
const DEFAULT_MAX_TOKENS = { stream: 32_000, json: 16_000 } as const;

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

function anthropicRequest(chat: Chat, target: AdapterTarget): WireRequest | Failure {
  const conversation = readConversation(chat, target, TEXT_ONLY);
  if ('failure' in conversation) return conversation.failure;
  const model = claudeModel(target.model);
  const { options } = chat;
  const limit = maxTokens(options?.maxTokens, model, target.stream);
  const thinking = thinkingOf(askedEffort(options), model, limit.value);
  const prompt = anthropicPrompt(conversation.turns, model);
  const stop = options?.stop ?? [];
  // The API refuses stop sequences of blanks alone.
  const remoteStop = stop.filter((word) => word.trim() !== '');
  const written = {
    model: target.model,
    stream: target.stream,
    ...(prompt.system.length > 0 && { system: prompt.system }),
    messages: prompt.messages,
    max_tokens: limit.value,
    ...(remoteStop.length > 0 && { stop_sequences: remoteStop }),
    ...(options?.endUser && { metadata: { user_id: options.endUser } }),
    ...thinking.fields,
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
      ...warnings,
    ],
    localStop: stop.filter((word) => word.trim() === ''),
  };
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
