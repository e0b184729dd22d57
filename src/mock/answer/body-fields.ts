import type { ProviderName } from '../../core/provider.ts';
import type { Dialect } from './asked-request.ts';
import { chatApiOf, OPENAI_CHAT_FIELDS } from './chat-apis.ts';
import { objectOf } from '../shared/fields.ts';

type Fields = readonly string[];

/** Source: OpenAI's OpenAPI document, `CreateResponse`. */
const RESPONSES: Fields = [
  'background',
  'context_management',
  'conversation',
  'include',
  'input',
  'instructions',
  'max_output_tokens',
  'max_tool_calls',
  'metadata',
  'model',
  'moderation',
  'parallel_tool_calls',
  'previous_response_id',
  'prompt',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'reasoning',
  'safety_identifier',
  'service_tier',
  'store',
  'stream',
  'stream_options',
  'temperature',
  'text',
  'tool_choice',
  'tools',
  'top_logprobs',
  'top_p',
  'truncation',
  'user',
];

/** Source: the SDK of `anthropic-version: 2026-10-21`, which has no sampling any more. */
const ANTHROPIC: Fields = [
  'cache_control',
  'container',
  'context_management',
  'inference_geo',
  'max_tokens',
  'mcp_servers',
  'messages',
  'metadata',
  'model',
  'output_config',
  'service_tier',
  'speed',
  'stop_sequences',
  'stream',
  'system',
  'thinking',
  'tool_choice',
  'tools',
];

const OLDER_ANTHROPIC: Fields = [...ANTHROPIC, 'temperature', 'top_k', 'top_p'];

/** Source: `ChatRequest` and `Options` in the server's api/types.go. */
const OLLAMA: Fields = [
  'format',
  'keep_alive',
  'logprobs',
  'messages',
  'model',
  'options',
  'shift',
  'stream',
  'think',
  'tools',
  'top_logprobs',
  'truncate',
];

const OLLAMA_OPTIONS: Fields = [
  'frequency_penalty',
  'main_gpu',
  'min_p',
  'num_batch',
  'num_ctx',
  'num_gpu',
  'num_keep',
  'num_predict',
  'num_thread',
  'presence_penalty',
  'repeat_last_n',
  'repeat_penalty',
  'seed',
  'stop',
  'temperature',
  'top_k',
  'top_p',
  'typical_p',
  'use_mmap',
];

/**
 * Returns the first field of a request body that the provider's API does not know, `options.…` for one of Ollama's options;
 * undefined where it knows all.
 *
 * @param version the header `anthropic-version`
 */
export function unknownField(
  body: Readonly<Record<string, unknown>>,
  provider: ProviderName,
  dialect: Dialect,
  version: string | undefined,
): string | undefined {
  switch (dialect) {
    case 'chat':
      return notIn(body, chatApiOf(provider).fields ?? OPENAI_CHAT_FIELDS);
    case 'responses':
      return notIn(body, RESPONSES);
    case 'anthropic':
      return notIn(body, version === '2026-10-21' ? ANTHROPIC : OLDER_ANTHROPIC);
    case 'ollama': {
      const option = notIn(objectOf(body['options']), OLLAMA_OPTIONS);
      return notIn(body, OLLAMA) ?? (option === undefined ? undefined : `options.${option}`);
    }
  }
}

function notIn(body: Readonly<Record<string, unknown>>, fields: Fields): string | undefined {
  return Object.keys(body).find((name) => !fields.includes(name));
}
