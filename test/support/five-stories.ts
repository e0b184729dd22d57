import type { Provider } from './five-providers.ts';
import { jsonReply } from './five-providers.ts';
import type { ProviderRecording } from './recordings.ts';
import type { Recording } from './replay-server.ts';

/** How a provider fails. */
export interface Fault {
  readonly reply: Recording;
  /** Outcome of each attempt. */
  readonly reason: string;
  /** The provider's code in the trail; empty for none. */
  readonly code: string;
  /** Whether the class of the failure has the same target asked once more. */
  readonly isRepeated: boolean;
}

/** How a provider answers. */
export interface Answer {
  readonly reply: Recording;
  readonly text: string;
  /** The model as the provider names it. */
  readonly model: string;
  readonly totalTokens: number;
  /** What the answer costs in nano-USD; undefined where the price table does not have the model. */
  readonly nanoUsd: bigint | undefined;
}

/** How each provider fails, and how it answers. */
export type Stories = Readonly<Record<Provider, { readonly fault: Fault; readonly answer: Answer }>>;

// 1 USD for a million tokens is 1,000 nano-USD for one.

/** Errors and answers as the providers' documents show them. */
export const WRITTEN: Stories = {
  'azure-openai': {
    fault: {
      reply: jsonReply(404, { error: { code: 'DeploymentNotFound', message: 'The deployment does not exist.' } }),
      reason: 'PROVIDER_MODEL_NOT_FOUND',
      code: 'DeploymentNotFound',
      isRepeated: false,
    },
    answer: {
      reply: completion('from Azure', 'gpt-4.1-2025-04-14', {
        prompt_tokens: 5_000,
        completion_tokens: 200,
        prompt_tokens_details: { cached_tokens: 1_000 },
      }),
      text: 'from Azure',
      model: 'gpt-4.1-2025-04-14',
      totalTokens: 5_200,
      // gpt-4.1: 2 USD input, 0.50 cached, 8 output.
      nanoUsd: 4_000n * 2_000n + 1_000n * 500n + 200n * 8_000n,
    },
  },
  openai: {
    fault: {
      reply: openAiError(429, 'insufficient_quota', 'insufficient_quota'),
      reason: 'PROVIDER_QUOTA_EXHAUSTED',
      code: 'insufficient_quota',
      isRepeated: false,
    },
    answer: {
      reply: completion('from OpenAI', 'gpt-6.1-sol-2026-09-29', {
        prompt_tokens: 7,
        completion_tokens: 3,
        prompt_tokens_details: { cached_tokens: 0 },
      }),
      text: 'from OpenAI',
      model: 'gpt-6.1-sol-2026-09-29',
      totalTokens: 10,
      // gpt-6.1-sol: 2 USD input, 10 output.
      nanoUsd: 7n * 2_000n + 3n * 10_000n,
    },
  },
  anthropic: {
    fault: {
      reply: jsonReply(401, { type: 'error', error: { type: 'authentication_error', message: 'invalid x-api-key' } }),
      reason: 'PROVIDER_AUTH_FAILED',
      code: 'authentication_error',
      isRepeated: false,
    },
    answer: {
      reply: jsonReply(200, {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'claude-sonnet-5-5',
        content: [{ type: 'text', text: 'from Anthropic' }],
        stop_reason: 'end_turn',
        stop_sequence: null,
        usage: {
          input_tokens: 10,
          cache_read_input_tokens: 300,
          cache_creation_input_tokens: 40,
          cache_creation: { ephemeral_5m_input_tokens: 40, ephemeral_1h_input_tokens: 0 },
          output_tokens: 5,
        },
      }),
      text: 'from Anthropic',
      model: 'claude-sonnet-5-5',
      totalTokens: 355,
      // claude-sonnet-5-5: 2 USD input, 0.10 read from the cache, 2.50 written to it, 10 output.
      nanoUsd: 10n * 2_000n + 300n * 100n + 40n * 2_500n + 5n * 10_000n,
    },
  },
  deepseek: {
    fault: {
      reply: openAiError(402, 'unknown_error', 'invalid_request_error'),
      reason: 'PROVIDER_QUOTA_EXHAUSTED',
      code: 'invalid_request_error',
      isRepeated: false,
    },
    answer: {
      // An id that costs the same at every hour.
      reply: completion('from DeepSeek', 'deepseek-chat', {
        prompt_tokens: 100,
        completion_tokens: 50,
        prompt_cache_hit_tokens: 64,
        prompt_cache_miss_tokens: 36,
      }),
      text: 'from DeepSeek',
      model: 'deepseek-chat',
      totalTokens: 150,
      // deepseek-chat: 0.14 USD input, 0.0028 cached, 0.28 output. 36 x 140 + 64 x 2.8 + 50 x 280 = 19,219.2
      nanoUsd: 19_219n,
    },
  },
  ollama: {
    fault: {
      reply: jsonReply(404, { error: "model 'qwen3:4b' not found" }),
      reason: 'PROVIDER_MODEL_NOT_FOUND',
      code: '',
      isRepeated: false,
    },
    answer: {
      reply: jsonReply(200, {
        model: 'qwen3:4b',
        created_at: '2026-11-20T12:00:00Z',
        message: { role: 'assistant', content: 'from Ollama' },
        done_reason: 'stop',
        done: true,
        prompt_eval_count: 12,
        eval_count: 4,
      }),
      text: 'from Ollama',
      model: 'qwen3:4b',
      totalTokens: 16,
      // The own machine sends no bill.
      nanoUsd: 0n,
    },
  },
};

/** Errors and answers as they were recorded. Throws where one of the recordings is not there. */
export function recordedStories(recordings: readonly ProviderRecording[]): Stories {
  const recording = (end: string): ProviderRecording => {
    const found = recordings.filter(({ id }) => id.endsWith(end));
    if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} recordings end in ${end}`);
    return found[0];
  };
  const answer = (end: string, nanoUsd: bigint | undefined): Answer => {
    const { expect, ...reply } = recording(end);
    const { text, model, total_tokens: total, input_tokens: input, output_tokens: output } = expect;
    return { reply, text, model: model ?? '', totalTokens: total ?? (input ?? 0) + (output ?? 0), nanoUsd };
  };
  const fault = (end: string, reason: string, code: string, isRepeated: boolean): Fault => ({
    reply: recording(end),
    reason,
    code,
    isRepeated,
  });
  return {
    'azure-openai': {
      // Retry-After is one second: short enough to wait for.
      fault: fault('4dd91e', 'PROVIDER_RATE_LIMITED', 'RateLimitReached', true),
      // gpt-4o-mini is not in the price table: unknown, not 0.
      answer: answer('a166e6', undefined),
    },
    openai: {
      fault: fault('033069', 'PROVIDER_AUTH_FAILED', 'invalid_api_key', false),
      // gpt-5.6-sol: 4 USD input, 5 written to the cache, 20 output; 4,012 of the 4,020 tokens were written.
      answer: answer('68f458', 8n * 4_000n + 4_012n * 5_000n + 4n * 20_000n),
    },
    anthropic: {
      fault: fault('4de2ca', 'PROVIDER_UNAVAILABLE', 'overloaded_error', true),
      // claude-haiku-4-5: 1 USD input, 5 output.
      answer: answer('65b460', 8n * 1_000n + 16n * 5_000n),
    },
    deepseek: {
      fault: fault('10c570', 'CONTEXT_LENGTH_EXCEEDED', 'invalid_request_error', false),
      // deepseek-chat: 56 x 140 + 64 cached x 2.8 + 125 x 280 = 43,019.2
      answer: answer('febd7b', 43_019n),
    },
    ollama: {
      fault: fault('144d23', 'CONTEXT_LENGTH_EXCEEDED', '', false),
      answer: answer('d916c5', 0n),
    },
  };
}

function completion(content: string, model: string, usage: Readonly<Record<string, unknown>>): Recording {
  const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }];
  return jsonReply(200, { id: 'chatcmpl-1', object: 'chat.completion', created: 1_790_000_000, model, choices, usage });
}

function openAiError(status: number, type: string, code: string): Recording {
  return jsonReply(status, { error: { message: 'Words of the provider.', type, param: null, code } });
}
