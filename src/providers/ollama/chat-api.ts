import type { Failure } from '../../core/failure.ts';
import type { Adapter, AdapterTarget, Chat, WireRequest } from '../port/adapter.ts';
import type { GenerationSettings, ReadTool, ReadTools } from '../shared/asked-tools.ts';
import { allowedTools, readSettings, strictDropped } from '../shared/asked-tools.ts';
import type { Takes } from '../shared/conversation.ts';
import { readConversation } from '../shared/conversation.ts';
import { listingCheck } from '../shared/health-checks.ts';
import type { JsonRecord } from '../shared/json/value.ts';
import { seedAs, withoutCacheKey } from '../shared/option-rules.ts';
import type { OptionTable } from '../shared/option-table.ts';
import { translateOptions } from '../shared/option-table.ts';
import { withProviderOptions } from '../shared/provider-options.ts';
import { ollamaEvents, ollamaResponse } from './chat-lines.ts';
import { refusedCall } from '../shared/errors/refusal-failure.ts';
import { ollamaMessages } from './chat-messages.ts';
import { OLLAMA_LIST } from './installed-list.ts';
import { ollamaThink } from './think.ts';
import { unsupported } from '../shared/provider-failure.ts';
import { parameterDropped } from '../shared/warnings.ts';

/** Translates between the contract and Ollama's own API, `/api/chat`. */
export const ollama: Adapter = {
  framing: 'ndjson',
  request: ollamaRequest,
  response: ollamaResponse,
  events: ollamaEvents,
  failure: (response) => refusedCall(response),
  healthCheck: listingCheck('/api/tags'),
  modelList: OLLAMA_LIST,
  // A model must be loaded first, and its head comes with the first words.
  silence: () => 'loaded',
};

/** The server fetches nothing, and neither does the gateway: images are bytes. */
const TAKES: Takes = {
  tools: true,
  images: 'data',
  files: 'none',
  mediaInToolResults: false,
  jsonObject: true,
  jsonSchema: true,
};

/** Models that run at ollama.com are not held to a format. Source: https://docs.ollama.com/capabilities/structured-outputs */
const CLOUD_TAKES: Takes = { ...TAKES, jsonObject: false, jsonSchema: false };
const IS_CLOUD = /[:-]cloud$/;

/**
 * By default the server drops the oldest messages of a prompt that is too long, and later, while it writes, the first half
 * of what it has read: both without a word. Instead the request is refused, or the answer ends by its length.
 */
const NOTHING_DROPPED = { truncate: false, shift: false };

interface OllamaSettings extends GenerationSettings {
  readonly model: string;
}

const SEVERAL_CALLS = parameterDropped('options.parallel_tool_calls', 'The model may call several tools at once.');

/** The options of `/api/chat`. Of sampling they stand in an object of their own. */
const OPTIONS: OptionTable<OllamaSettings> = {
  temperature: { sentAs: 'temperature', within: 'options' },
  topP: { sentAs: 'top_p', within: 'options' },
  maxTokens: { sentAs: 'num_predict', within: 'options' },
  seed: seedAs('seed', 'options'),
  presencePenalty: { sentAs: 'presence_penalty', within: 'options' },
  frequencyPenalty: { sentAs: 'frequency_penalty', within: 'options' },
  stop: { sentAs: 'stop', within: 'options' },
  endUser: 'dropped',
  promptCacheKey: withoutCacheKey,
  responseFormat: (format) =>
    format === undefined ? {} : { fields: { format: format.type === 'json_object' ? 'json' : format.schema } },
  reasoningEffort: (asked, { model }) => ollamaThink(asked, model),
  parallelToolCalls: (parallel) => (parallel === false ? { warnings: [SEVERAL_CALLS] } : {}),
  providerOptions: 'laid_over',
};

function ollamaRequest(chat: Chat, target: AdapterTarget): WireRequest | Failure {
  const conversation = readConversation(chat, target, IS_CLOUD.test(target.model) ? CLOUD_TAKES : TAKES);
  if ('failure' in conversation) return conversation.failure;
  const settings = readSettings(chat, target);
  if ('failure' in settings) return settings.failure;
  if (settings.choice.mode === 'required') {
    return unsupported('tool_choice.mode', 'The model cannot be made to call a tool.');
  }
  const messages = ollamaMessages(conversation.turns);
  if ('failure' in messages) return messages.failure;
  const options = translateOptions(OPTIONS, { ...settings, model: target.model });
  const tools = toolsOf(settings);
  const written = {
    model: target.model,
    // The server streams unless it is told not to.
    stream: target.stream,
    messages,
    ...(tools.length > 0 && { tools }),
    ...options.fields,
    ...NOTHING_DROPPED,
  };
  const { body, warnings } = withProviderOptions(written, chat.options, target, 'options');
  return {
    path: '/api/chat',
    body,
    warnings: [...conversation.warnings, ...options.warnings, ...strictDropped(settings.tools), ...warnings],
    localStop: options.localStop,
  };
}

/** There is no choice of tools: where none may be called none is sent, and only those that may be. */
function toolsOf(read: ReadTools): readonly JsonRecord[] {
  return read.choice.mode === 'none' ? [] : allowedTools(read).map(toolOf);
}

function toolOf({ name, description, parameters }: ReadTool): JsonRecord {
  return {
    type: 'function',
    function: {
      name,
      ...(description !== '' && { description }),
      parameters: { type: 'object', properties: {}, ...parameters },
    },
  };
}
