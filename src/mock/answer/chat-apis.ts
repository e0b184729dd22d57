import type { ProviderName } from '../../core/provider.ts';
import type { AnswerEnding } from './fault-catalogue.ts';

/** In whose manner answers and errors are written. `compatible`: servers that show reasoning, as vLLM does. */
export type ChatHouse = 'openai' | 'azure' | 'deepseek' | 'mistral' | 'compatible';

/** What an API says of a field of a request that it does not know, by the word that stands out; `overlooked`: nothing. */
export type UnknownFieldReply =
  | 'unrecognized'
  | 'unknown_parameter'
  | 'extra_forbidden'
  | 'extra_inputs'
  | 'overlooked';

/** How a provider speaks Chat Completions. What a row leaves out is as most servers have it. */
export interface ChatApi {
  /** Default: `compatible`. */
  readonly house?: ChatHouse;
  /** The fields of a request body; default: OpenAI's. */
  readonly fields?: readonly string[];
  /** The words for ends of answers that are other than OpenAI's. */
  readonly finishReasons?: Partial<Readonly<Record<AnswerEnding, string>>>;
  /** The ids of tool calls that it takes and makes; default: any. */
  readonly callIds?: RegExp;
  /** Default: `unrecognized`. */
  readonly unknownFields?: UnknownFieldReply;
}

/** What every Chat Completions takes. */
const CHAT = [
  'max_tokens',
  'messages',
  'model',
  'n',
  'response_format',
  'stop',
  'stream',
  'temperature',
  'tool_choice',
  'tools',
  'top_p',
] as const;

const PENALTIES = ['frequency_penalty', 'presence_penalty'] as const;

/** Source: OpenAI's OpenAPI document, `CreateChatCompletionRequest`. */
export const OPENAI_CHAT_FIELDS: readonly string[] = [
  ...CHAT,
  ...PENALTIES,
  'audio',
  'function_call',
  'functions',
  'logit_bias',
  'logprobs',
  'max_completion_tokens',
  'metadata',
  'modalities',
  'moderation',
  'parallel_tool_calls',
  'prediction',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
  'reasoning_effort',
  'safety_identifier',
  'seed',
  'service_tier',
  'store',
  'stream_options',
  'top_logprobs',
  'user',
  'verbosity',
  'web_search_options',
];

/**
 * Every provider at Chat Completions, after its own documents, which its adapter names; never after the adapter, which is
 * tested against this.
 */
const CHAT_APIS = {
  'azure-openai': { house: 'azure', fields: [...OPENAI_CHAT_FIELDS, 'data_sources'] },
  openai: { house: 'openai' },
  anthropic: {},
  deepseek: {
    house: 'deepseek',
    fields: [
      ...CHAT,
      ...PENALTIES,
      'logprobs',
      'reasoning_effort',
      'stream_options',
      'thinking',
      'top_logprobs',
      'user_id',
    ],
    unknownFields: 'overlooked',
  },
  ollama: {},
  groq: {
    fields: [
      ...CHAT,
      'citation_options',
      'compound_custom',
      'disable_tool_validation',
      'documents',
      'include_reasoning',
      'max_completion_tokens',
      'metadata',
      'parallel_tool_calls',
      'reasoning_effort',
      'reasoning_format',
      'search_settings',
      'seed',
      'service_tier',
      'store',
      'stream_options',
      'user',
    ],
  },
  mistral: {
    house: 'mistral',
    fields: [
      ...CHAT,
      ...PENALTIES,
      'guardrails',
      'metadata',
      'parallel_tool_calls',
      'prediction',
      'prompt_cache_key',
      'prompt_mode',
      'random_seed',
      'reasoning_effort',
      'safe_prompt',
    ],
    callIds: /^[A-Za-z0-9]{9}$/,
    unknownFields: 'extra_forbidden',
  },
  mock: {},
} as const satisfies Record<ProviderName, ChatApi>;

/** Returns how a provider speaks Chat Completions. */
export function chatApiOf(provider: ProviderName): ChatApi {
  return CHAT_APIS[provider];
}
