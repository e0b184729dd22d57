import type { ChatApi, ChatHouse } from '../answer/chat-apis.ts';
import type { Json } from '../shared/fields.ts';
import { textOfPart } from '../answer/made-up-answer.ts';
import type { AnswerEnding } from '../answer/fault-catalogue.ts';
import type { AnswerPart, MockAnswer } from '../answer/made-up-answer.ts';
import { LETTERS_AND_DIGITS, below, randomText, uuidFrom } from '../shared/seeded.ts';
import type { Frame, Wire, WireContext } from './format.ts';

const SAFE = { filtered: false, severity: 'safe' };
const SAFE_OUTPUT = { hate: SAFE, self_harm: SAFE, sexual: SAFE, violence: SAFE };
const FILTERED_OUTPUT = { ...SAFE_OUTPUT, violence: { filtered: true, severity: 'medium' } };
const PROMPT_FILTER_RESULTS = [
  {
    prompt_index: 0,
    content_filter_results: { ...SAFE_OUTPUT, jailbreak: { filtered: false, detected: false } },
  },
];

/** A refusal ends as an answer does, where a provider has no word of its own for it. */
const FINISH_REASONS = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  content_filter: 'content_filter',
} as const satisfies Record<Exclude<AnswerEnding, 'refusal'>, string>;

const KEEP_ALIVE = ': keep-alive\n\n';

/** Makes the wire format of Chat Completions in the manner of a house, with the words for ends and the ids of a provider. */
export function chatWire(house: ChatHouse, { finishReasons, callIds }: ChatApi): Wire {
  const words = { ...FINISH_REASONS, ...finishReasons };
  const reasons = { refusal: words.stop, ...words };
  return {
    framing: 'sse',
    ...(house === 'deepseek' ? { opening: KEEP_ALIVE, keepAlive: KEEP_ALIVE, wholeKeepAlive: '\n' } : {}),
    stream: (answer, context) => streamFrames(house, withTakenIds(answer, callIds), reasons[answer.ending], context),
    midStreamError: () => [
      { role: 'end', data: JSON.stringify({ error: { ...MID_STREAM_ERROR, param: null, code: null } }) },
    ],
    whole: (answer) => wholeText(house, withTakenIds(answer, callIds), reasons[answer.ending]),
  };
}

const MID_STREAM_ERROR = { message: 'The mock failed in the middle of its answer.', type: 'server_error' };

function streamFrames(house: ChatHouse, answer: MockAnswer, reason: string, context: WireContext): readonly Frame[] {
  const head = headOf(house, answer, 'chat.completion.chunk');
  const showsUsage = context.includesUsage && !endsWithUsage(house);
  const chunk = (choices: readonly Json[], usage: Json | null): string =>
    JSON.stringify({
      ...head,
      choices,
      ...(context.includesUsage || usage !== null ? { usage } : {}),
      ...(house === 'openai' && context.includesObfuscation ? { obfuscation: padding(context) } : {}),
    });
  const choice = (delta: Json, reason: string | null, results: Json = SAFE_OUTPUT): Json => ({
    index: 0,
    delta,
    ...(house === 'openai' ? {} : { logprobs: null }),
    finish_reason: reason,
    ...(house === 'azure' ? { content_filter_results: results } : {}),
  });
  const frames: Frame[] = [];
  if (house === 'azure') frames.push({ role: 'around', data: JSON.stringify(azureOpening()) });
  frames.push({ role: 'around', data: chunk([choice(firstDelta(house, answer), null, {})], null) });
  let callIndex = 0;
  for (const part of answer.parts) {
    for (const [at, token] of part.tokens.entries()) {
      const delta = deltaOf(house, part, token, at, callIndex);
      if (delta !== undefined) frames.push({ role: 'token', data: chunk([choice(delta, null)], null) });
    }
    if (part.kind === 'tool_call') callIndex += 1;
  }
  const results = answer.ending === 'content_filter' ? FILTERED_OUTPUT : {};
  const lastDelta = house === 'deepseek' ? { content: '', reasoning_content: null } : {};
  const last = choice(lastDelta, reason, results);
  frames.push({ role: 'end', data: chunk([last], endsWithUsage(house) ? usageOf(house, answer) : null) });
  if (showsUsage) frames.push({ role: 'end', data: chunk([], usageOf(house, answer)) });
  frames.push({ role: 'end', data: '[DONE]' });
  return frames;
}

function wholeText(house: ChatHouse, answer: MockAnswer, reason: string): string {
  const calls = answer.parts.filter((part) => part.kind === 'tool_call');
  const reasoning = joined(answer, 'reasoning');
  const message = {
    role: 'assistant',
    content: hasNoText(house, answer) ? null : contentShown(house, answer, reasoning),
    ...(showsReasoning(house) && reasoning !== '' ? { reasoning_content: reasoning } : {}),
    ...(!hasRefusals(house) ? {} : { refusal: joined(answer, 'refusal') || null, annotations: [] }),
    ...(calls.length > 0
      ? {
          tool_calls: calls.map((part) => ({
            id: part.id,
            type: 'function',
            function: { name: part.name, arguments: textOfPart(part) },
          })),
        }
      : {}),
  };
  const body = {
    ...headOf(house, answer, 'chat.completion'),
    choices: [
      {
        index: 0,
        message,
        logprobs: null,
        finish_reason: reason,
        ...(house === 'azure'
          ? { content_filter_results: answer.ending === 'content_filter' ? FILTERED_OUTPUT : SAFE_OUTPUT }
          : {}),
      },
    ],
    ...(house === 'azure' ? { prompt_filter_results: PROMPT_FILTER_RESULTS } : {}),
    usage: usageOf(house, answer),
  };
  return house === 'openai' ? `${JSON.stringify(body, null, 2)}\n` : JSON.stringify(body);
}

function headOf(house: ChatHouse, answer: MockAnswer, object: string): Json {
  return {
    id: house === 'deepseek' ? uuidFrom(answer.id) : `chatcmpl-${answer.id.slice(0, 29)}`,
    object,
    created: Math.floor(answer.createdAtMs / 1000),
    model: answer.model,
    ...(house === 'openai' ? { service_tier: 'default' } : {}),
    system_fingerprint: house === 'openai' ? null : 'fp_mock',
  };
}

function azureOpening(): Json {
  return { choices: [], created: 0, id: '', model: '', object: '', prompt_filter_results: PROMPT_FILTER_RESULTS };
}

function firstDelta(house: ChatHouse, answer: MockAnswer): Json {
  if (house === 'mistral') return { role: 'assistant', content: '' };
  if (house !== 'deepseek') return { role: 'assistant', content: '', refusal: null };
  const thinks = answer.parts.some((part) => part.kind === 'reasoning');
  return thinks ? { role: 'assistant', content: null, reasoning_content: '' } : { role: 'assistant', content: '' };
}

function deltaOf(house: ChatHouse, part: AnswerPart, token: string, at: number, index: number): Json | undefined {
  switch (part.kind) {
    case 'text':
      return house === 'deepseek' ? { content: token, reasoning_content: null } : { content: token };
    case 'refusal':
      return hasRefusals(house) ? { refusal: token } : { content: token };
    case 'reasoning':
      if (house === 'mistral') return { content: [thought(token)] };
      return showsReasoning(house) ? { content: null, reasoning_content: token } : undefined;
    case 'tool_call': {
      const opening = at === 0 ? { id: part.id, type: 'function' } : {};
      const name = at === 0 ? { name: part.name } : {};
      return { tool_calls: [{ index, ...opening, function: { ...name, arguments: token } }] };
    }
  }
}

function usageOf(house: ChatHouse, answer: MockAnswer): Json {
  const common = {
    prompt_tokens: answer.inputTokens,
    completion_tokens: answer.outputTokens,
    total_tokens: answer.inputTokens + answer.outputTokens,
  };
  if (house === 'deepseek') {
    return {
      ...common,
      prompt_tokens_details: { cached_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: answer.reasoningTokens },
      prompt_cache_hit_tokens: 0,
      prompt_cache_miss_tokens: answer.inputTokens,
    };
  }
  return {
    ...common,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: answer.reasoningTokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

function showsReasoning(house: ChatHouse): boolean {
  return house === 'deepseek' || house === 'compatible';
}

/** Usage stands in the last chunk, whether or not it was asked for. */
function endsWithUsage(house: ChatHouse): boolean {
  return house === 'deepseek' || house === 'mistral';
}

/** Whether a refusal has a field of its own. */
function hasRefusals(house: ChatHouse): boolean {
  return house !== 'deepseek' && house !== 'mistral';
}

/** Of an id that is not of the provider's form the last nine letters and digits are left. */
function withTakenIds(answer: MockAnswer, form: RegExp | undefined): MockAnswer {
  if (form === undefined) return answer;
  const idOf = (id: string): string => (form.test(id) ? id : id.slice(-9));
  const parts = answer.parts.map((part) => (part.kind === 'tool_call' ? { ...part, id: idOf(part.id) } : part));
  return { ...answer, parts };
}

function thought(text: string): Json {
  return { type: 'thinking', thinking: [{ type: 'text', text }] };
}

function contentShown(house: ChatHouse, answer: MockAnswer, reasoning: string): string | readonly Json[] {
  const text = textShown(house, answer);
  return house === 'mistral' && reasoning !== '' ? [thought(reasoning), { type: 'text', text }] : text;
}

function joined(answer: MockAnswer, kind: AnswerPart['kind']): string {
  return answer.parts
    .filter((part) => part.kind === kind)
    .map(textOfPart)
    .join('');
}

/** Text and, where the API has no field for a refusal, the words of one. */
function textShown(house: ChatHouse, answer: MockAnswer): string {
  return joined(answer, 'text') + (hasRefusals(house) ? '' : joined(answer, 'refusal'));
}

function hasNoText(house: ChatHouse, answer: MockAnswer): boolean {
  return answer.parts.some((part) => part.kind === 'tool_call' || (part.kind === 'refusal' && hasRefusals(house)));
}

function padding(context: WireContext): string {
  return randomText(context.chance, below(context.chance, 16), LETTERS_AND_DIGITS);
}
