import { formatUtcTime } from '../../core/formats/utc-time.ts';
import { textOfPart } from '../answer/made-up-answer.ts';
import type { AnswerEnding } from '../answer/fault-catalogue.ts';
import type { AnswerPart, MockAnswer } from '../answer/made-up-answer.ts';
import { parseObject } from '../shared/fields.ts';
import type { Json } from '../shared/fields.ts';
import type { Frame, Wire } from './format.ts';

/** Ollama knows no filter and no word for tool calls or refusals: they end with `stop`. */
const DONE_REASONS = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'stop',
  content_filter: 'stop',
  refusal: 'stop',
} as const satisfies Record<AnswerEnding, string>;

const NANOSECONDS_PER_TOKEN = 1_000_000;

/** The wire format of Ollama's `/api/chat`: one JSON object a line. */
export const OLLAMA_WIRE: Wire = {
  framing: 'ndjson',
  stream: (answer) => {
    const frames: Frame[] = answer.parts.flatMap((part) => lines(answer, part));
    frames.push({
      role: 'end',
      data: JSON.stringify({ ...line(answer, answer.outputTokens, { content: '' }), ...doneFields(answer) }),
    });
    return frames;
  },
  midStreamError: () => [
    { role: 'end', data: JSON.stringify({ error: 'the mock failed in the middle of its answer' }) },
  ],
  whole: (answer) => {
    const calls = answer.parts.flatMap((part) => (part.kind === 'tool_call' ? [toolCall(part)] : []));
    const message: Record<string, unknown> = { content: '', ...(calls.length > 0 && { tool_calls: calls }) };
    for (const part of answer.parts) {
      if (part.kind !== 'tool_call') message[part.kind === 'reasoning' ? 'thinking' : 'content'] = textOfPart(part);
    }
    const { message: first, ...head } = line(answer, answer.outputTokens, message);
    return JSON.stringify({
      ...head,
      message: first,
      ...doneFields(answer),
    });
  },
};

function lines(answer: MockAnswer, part: AnswerPart): readonly Frame[] {
  if (part.kind === 'tool_call') {
    const message = { content: '', tool_calls: [toolCall(part)] };
    return [{ role: 'token', data: JSON.stringify({ ...line(answer, 0, message), done: false }) }];
  }
  return part.tokens.map((token, at) => {
    const message = part.kind === 'reasoning' ? { content: '', thinking: token } : { content: token };
    return { role: 'token', data: JSON.stringify({ ...line(answer, at, message), done: false }) };
  });
}

function line(answer: MockAnswer, at: number, message: Json): { readonly message: Json } & Json {
  return {
    model: answer.model,
    created_at: formatUtcTime(answer.createdAtMs + at),
    message: { role: 'assistant', ...message },
  };
}

/** Arguments come as an object, and only whole: what a token limit cut is no call, so they become empty. */
function toolCall(part: Extract<AnswerPart, { kind: 'tool_call' }>): Json {
  return { id: part.id, function: { name: part.name, arguments: parseObject(textOfPart(part)) ?? {} } };
}

/** Counts of zero are left out, as Ollama does. */
function doneFields(answer: MockAnswer): Json {
  const evaluationNs = answer.outputTokens * NANOSECONDS_PER_TOKEN;
  return {
    done: true,
    done_reason: DONE_REASONS[answer.ending],
    total_duration: 3 * NANOSECONDS_PER_TOKEN + evaluationNs,
    load_duration: NANOSECONDS_PER_TOKEN,
    prompt_eval_count: answer.inputTokens,
    prompt_eval_duration: NANOSECONDS_PER_TOKEN,
    ...(answer.outputTokens > 0 ? { eval_count: answer.outputTokens, eval_duration: evaluationNs } : {}),
  };
}
