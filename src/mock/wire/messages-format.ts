import { textOfPart } from '../answer/made-up-answer.ts';
import type { AnswerEnding } from '../answer/fault-catalogue.ts';
import type { AnswerPart, MockAnswer } from '../answer/made-up-answer.ts';
import { parseObject } from '../shared/fields.ts';
import type { Json } from '../shared/fields.ts';
import { signatureFor } from '../answer/taken-by-anthropic.ts';
import type { Frame, Wire } from './format.ts';

/** Anthropic's word for a filtered answer is `refusal` too. */
const STOP_REASONS = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
  refusal: 'refusal',
} as const satisfies Record<AnswerEnding, string>;

/** The wire format of Anthropic's Messages API: named events, each naming itself again. */
export const ANTHROPIC_WIRE: Wire = {
  framing: 'sse',
  keepAlive: 'event: ping\ndata: {"type": "ping"}\n\n',
  stream: (answer) => {
    const opening = { ...message(answer), content: [], stop_reason: null, usage: usageOf(answer, 1) };
    const blocks = answer.parts.map((part) => ({ part, signature: signatureOf(part) }));
    return [
      event('around', 'message_start', { message: opening }),
      ...blocks.flatMap(({ part, signature }, index) => blockEvents(part, signature, index)),
      event('around', 'message_delta', { delta: ending(answer), usage: usageAtEnd(answer) }),
      event('end', 'message_stop', {}),
    ];
  },
  midStreamError: (answer) => [
    event('end', 'error', {
      error: { details: null, type: 'overloaded_error', message: 'Overloaded' },
      request_id: `req_${answer.id.slice(0, 24)}`,
    }),
  ],
  whole: (answer) => {
    const { usage, ...head } = message(answer);
    const content = answer.parts.map((part) => block(part, textOfPart(part), signatureOf(part)));
    return JSON.stringify({ ...head, content, ...ending(answer), usage });
  },
};

function event(role: Frame['role'], type: string, fields: Json): Frame {
  return { role, name: type, data: JSON.stringify({ type, ...fields }) };
}

function blockEvents(part: AnswerPart, signature: string, index: number): readonly Frame[] {
  const frames = [event('around', 'content_block_start', { index, content_block: block(part, '', '') })];
  if (index === 0) frames.push({ role: 'around', name: 'ping', data: '{"type": "ping"}' });
  for (const token of part.tokens)
    frames.push(event('token', 'content_block_delta', { index, delta: delta(part, token) }));
  if (part.kind === 'reasoning') {
    frames.push(event('around', 'content_block_delta', { index, delta: { type: 'signature_delta', signature } }));
  }
  frames.push(event('around', 'content_block_stop', { index }));
  return frames;
}

/** A content block: empty as at its start, or with all of its text. */
function block(part: AnswerPart, text: string, signature: string): Json {
  switch (part.kind) {
    case 'reasoning':
      return { type: 'thinking', thinking: text, signature };
    case 'tool_call':
      return { type: 'tool_use', id: toolUseId(part.id), name: part.name, input: parseObject(text) ?? {} };
    case 'text':
    case 'refusal':
      return { type: 'text', text };
  }
}

function delta(part: AnswerPart, token: string): Json {
  switch (part.kind) {
    case 'reasoning':
      return { type: 'thinking_delta', thinking: token };
    case 'tool_call':
      return { type: 'input_json_delta', partial_json: token };
    case 'text':
    case 'refusal':
      return { type: 'text_delta', text: token };
  }
}

function message(answer: MockAnswer): Json & { readonly usage: Json } {
  return {
    model: answer.model,
    id: `msg_01${answer.id.slice(0, 22)}`,
    type: 'message',
    role: 'assistant',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: usageOf(answer, answer.outputTokens),
  };
}

function ending(answer: MockAnswer): Json {
  const reason = STOP_REASONS[answer.ending];
  const isStopped = answer.stopSequence !== undefined;
  return {
    stop_reason: isStopped ? 'stop_sequence' : reason,
    stop_sequence: isStopped ? answer.stopSequence : null,
    ...(reason === 'refusal' ? { stop_details: { type: 'refusal', category: null, explanation: null } } : {}),
  };
}

function usageOf(answer: MockAnswer, outputTokens: number): Json {
  return {
    input_tokens: answer.inputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    output_tokens: outputTokens,
    service_tier: 'standard',
  };
}

function usageAtEnd(answer: MockAnswer): Json {
  return {
    input_tokens: answer.inputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: answer.outputTokens,
    output_tokens_details: { thinking_tokens: answer.reasoningTokens },
  };
}

function signatureOf(part: AnswerPart): string {
  return part.kind === 'reasoning' ? signatureFor(textOfPart(part)) : '';
}

function toolUseId(callId: string): string {
  return callId.replace('call_', 'toolu_');
}
