import type { Failure } from '../../core/failure.ts';
import type { Adapter, AdapterTarget, AdapterWarning, Chat, WireRequest } from '../port/adapter.ts';
import { dropSet, exactSeed, setOnly, withProviderOptions } from '../shared/chat-options.ts';
import type { ReadFormat, ReadTool, ReadTools } from '../shared/asked-tools.ts';
import { allowedTools, readAsked, strictDropped } from '../shared/asked-tools.ts';
import type { Takes } from '../shared/conversation.ts';
import { readConversation } from '../shared/conversation.ts';
import { askedEffort } from '../shared/asked-effort.ts';
import type { JsonRecord } from '../shared/json/value.ts';
import { ollamaEvents, ollamaResponse } from './chat-lines.ts';
import { ollamaFailure } from './error-texts.ts';
import { ollamaMessages } from './chat-messages.ts';
import { ollamaThink } from './think.ts';
import { unsupported } from '../shared/provider-failure.ts';
import { parameterDropped } from '../shared/warnings.ts';

/** Translates between the contract and Ollama's own API, `/api/chat`. */
export const ollama: Adapter = {
  framing: 'ndjson',
  request: ollamaRequest,
  response: ollamaResponse,
  events: ollamaEvents,
  failure: ollamaFailure,
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

function ollamaRequest(chat: Chat, target: AdapterTarget): WireRequest | Failure {
  const conversation = readConversation(chat, target, IS_CLOUD.test(target.model) ? CLOUD_TAKES : TAKES);
  if ('failure' in conversation) return conversation.failure;
  const asked = readAsked(chat);
  if ('failure' in asked) return asked.failure;
  if (asked.choice.mode === 'required') {
    return unsupported('tool_choice.mode', 'The model cannot be made to call a tool.');
  }
  const messages = ollamaMessages(conversation.turns);
  if ('failure' in messages) return messages.failure;
  const thinking = ollamaThink(askedEffort(chat.options), target.model);
  const sampling = samplingOf(chat.options);
  const tools = toolsOf(asked);
  const written = {
    model: target.model,
    // The server streams unless it is told not to.
    stream: target.stream,
    messages,
    ...(tools.length > 0 && { tools }),
    ...(asked.format && { format: formatOf(asked.format) }),
    ...(Object.keys(sampling.fields).length > 0 && { options: sampling.fields }),
    ...(thinking.value !== undefined && { think: thinking.value }),
    ...NOTHING_DROPPED,
  };
  const { body, warnings } = withProviderOptions(written, chat.options, target, 'options');
  return {
    path: '/api/chat',
    body,
    warnings: [
      ...conversation.warnings,
      ...sampling.warnings,
      ...thinking.warnings,
      ...strictDropped(asked.tools),
      ...oneAtATime(asked, chat.options),
      ...warnings,
    ],
    localStop: [],
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

function formatOf(format: ReadFormat): unknown {
  return format.type === 'json_object' ? 'json' : format.schema;
}

function oneAtATime({ tools }: ReadTools, options: Chat['options']): readonly AdapterWarning[] {
  return tools.length > 0 && options?.parallelToolCalls === false
    ? [parameterDropped('options.parallel_tool_calls', 'The model may call several tools at once.')]
    : [];
}

function samplingOf(options: Chat['options']) {
  const seed = exactSeed(options);
  const stop = options?.stop ?? [];
  return {
    fields: setOnly({
      temperature: options?.temperature,
      top_p: options?.topP,
      num_predict: options?.maxTokens,
      seed,
      presence_penalty: options?.presencePenalty,
      frequency_penalty: options?.frequencyPenalty,
      stop: stop.length > 0 ? stop : undefined,
    }),
    warnings: dropSet({ seed: seed === undefined ? options?.seed : undefined, end_user: options?.endUser }),
  };
}
