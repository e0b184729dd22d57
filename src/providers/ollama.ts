import type { Failure } from '../core/failure.ts';
import type { Adapter, AdapterTarget, AdapterWarning, Chat, WireRequest } from './adapter.ts';
import { dropSet, exactSeed, setOnly, withProviderOptions } from './chat-options.ts';
import { readConversation, TEXT_ONLY, textsOf } from './conversation.ts';
import type { Effort } from './effort.ts';
import { askedEffort, effortAdjusted, nearestEffort } from './effort.ts';
import { ollamaEvents, ollamaResponse } from './ollama-answer.ts';
import { ollamaFailure } from './ollama-errors.ts';

/** Translates between the contract and Ollama's own API, `/api/chat`. */
export const ollama: Adapter = {
  framing: 'ndjson',
  request: ollamaRequest,
  response: ollamaResponse,
  events: ollamaEvents,
  failure: ollamaFailure,
};

function ollamaRequest(chat: Chat, target: AdapterTarget): WireRequest | Failure {
  const conversation = readConversation(chat, target, TEXT_ONLY);
  if ('failure' in conversation) return conversation.failure;
  const thinking = thinkOf(askedEffort(chat.options), target.model);
  const sampling = samplingOf(chat.options);
  const written = {
    model: target.model,
    // The server streams unless it is told not to.
    stream: target.stream,
    // A message has one text, so its texts become paragraphs.
    messages: conversation.turns.flatMap((turn) => {
      const texts = textsOf(turn);
      return texts.length === 0 ? [] : [{ role: turn.role, content: texts.join('\n\n') }];
    }),
    ...(Object.keys(sampling.fields).length > 0 && { options: sampling.fields }),
    ...(thinking.value !== undefined && { think: thinking.value }),
    // By default the server drops the oldest messages of a prompt that is too long, without a word.
    truncate: false,
  };
  const { body, warnings } = withProviderOptions(written, chat.options, target, 'options');
  return {
    path: '/api/chat',
    body,
    warnings: [...conversation.warnings, ...sampling.warnings, ...thinking.warnings, ...warnings],
    localStop: [],
  };
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

interface Think {
  /** Absent: the model's own default, which is to think where it can. */
  readonly value?: boolean | string;
  readonly warnings: readonly AdapterWarning[];
}

const LEVELS = ['none', 'low', 'medium', 'high', 'max'] as const satisfies readonly Effort[];

/** These models cannot be told not to think. Source: https://docs.ollama.com/capabilities/thinking */
const ALWAYS_THINKS = /(^|\/)gpt-oss/;

function thinkOf(asked: Effort | undefined, model: string): Think {
  if (asked === undefined) return { warnings: [] };
  const taken = ALWAYS_THINKS.test(model) ? LEVELS.filter((level) => level !== 'none') : LEVELS;
  const effort = nearestEffort(asked, taken);
  return {
    value: effort === 'none' ? false : effort,
    warnings: effort === asked ? [] : [effortAdjusted(effort)],
  };
}
