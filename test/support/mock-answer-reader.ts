import { at } from './mock-wire-reader.ts';
import type { StreamEvent, WireUnderTest } from './mock-wire-reader.ts';

/** An answer as a plain client of the API would see it. */
export interface AnswerSeen {
  readonly text: string;
  readonly reasoning: string;
  readonly refusal: string;
  /** The arguments of the call of a tool, parsed. */
  readonly toolArguments: unknown;
  readonly finish: unknown;
  readonly inputTokens: unknown;
  readonly outputTokens: unknown;
  /** Whether the sign that the answer is complete has come. */
  readonly isComplete: boolean;
  /** Kind of an error within the stream. */
  readonly error: unknown;
}

/** Reads a stream in the way of its API. */
export function answerFromEvents(wire: WireUnderTest, events: readonly StreamEvent[]): AnswerSeen {
  const values = events.map((event) => event.json);
  const joined = (...way: readonly (string | number)[]): string =>
    values
      .map((value) => at(value, ...way))
      .filter((found) => typeof found === 'string')
      .join('');
  const last = (...way: readonly (string | number)[]): unknown =>
    values.map((value) => at(value, ...way)).findLast((found) => found !== undefined && found !== null);
  const deltas = (type: string, field = 'delta'): string =>
    values
      .filter((value) => at(value, 'type') === type)
      .map((value) => String(at(value, field)))
      .join('');
  switch (wire.form) {
    case 'chat':
      return {
        text: joined('choices', 0, 'delta', 'content'),
        reasoning: joined('choices', 0, 'delta', 'reasoning_content'),
        refusal: joined('choices', 0, 'delta', 'refusal'),
        toolArguments: parsed(joined('choices', 0, 'delta', 'tool_calls', 0, 'function', 'arguments')),
        finish: last('choices', 0, 'finish_reason'),
        inputTokens: last('usage', 'prompt_tokens'),
        outputTokens: last('usage', 'completion_tokens'),
        isComplete: events.some((event) => event.raw === '[DONE]'),
        error: last('error', 'type'),
      };
    case 'responses': {
      const end = values.find(
        (value) => at(value, 'response', 'usage') !== null && at(value, 'response') !== undefined,
      );
      return {
        text: deltas('response.output_text.delta'),
        reasoning: deltas('response.reasoning_summary_text.delta'),
        refusal: deltas('response.refusal.delta'),
        toolArguments: parsed(deltas('response.function_call_arguments.delta')),
        finish: at(end, 'response', 'incomplete_details', 'reason') ?? at(end, 'response', 'status'),
        inputTokens: at(end, 'response', 'usage', 'input_tokens'),
        outputTokens: at(end, 'response', 'usage', 'output_tokens'),
        isComplete: /^response\.(completed|incomplete)$/.test(events.at(-1)?.name ?? ''),
        error: last('error', 'type'),
      };
    }
    case 'anthropic':
      return {
        text: joined('delta', 'text'),
        reasoning: joined('delta', 'thinking'),
        refusal: '',
        toolArguments: parsed(joined('delta', 'partial_json')),
        finish: last('delta', 'stop_reason'),
        inputTokens: last('usage', 'input_tokens'),
        outputTokens: last('usage', 'output_tokens'),
        isComplete: events.at(-1)?.name === 'message_stop',
        error: last('error', 'type'),
      };
    case 'ollama':
      return {
        text: joined('message', 'content'),
        reasoning: joined('message', 'thinking'),
        refusal: '',
        toolArguments: last('message', 'tool_calls', 0, 'function', 'arguments'),
        finish: last('done_reason'),
        inputTokens: last('prompt_eval_count'),
        outputTokens: last('eval_count'),
        isComplete: at(values.at(-1), 'done') === true,
        error: last('error'),
      };
  }
}

/** Reads a whole answer in the way of its API. */
export function answerFromJson(wire: WireUnderTest, json: unknown): AnswerSeen {
  const blocks = (list: unknown, type: string): readonly unknown[] =>
    Array.isArray(list) ? list.filter((item) => at(item, 'type') === type) : [];
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  switch (wire.form) {
    case 'chat': {
      const finish = at(json, 'choices', 0, 'finish_reason');
      const message = at(json, 'choices', 0, 'message');
      return {
        text: text(at(message, 'content')),
        reasoning: text(at(message, 'reasoning_content')),
        refusal: text(at(message, 'refusal')),
        toolArguments: parsed(text(at(message, 'tool_calls', 0, 'function', 'arguments'))),
        finish,
        inputTokens: at(json, 'usage', 'prompt_tokens'),
        outputTokens: at(json, 'usage', 'completion_tokens'),
        isComplete: typeof finish === 'string',
        error: at(json, 'error', 'type') ?? at(json, 'error', 'code'),
      };
    }
    case 'responses': {
      const output = at(json, 'output');
      const content = blocks(output, 'message').map((item) => at(item, 'content', 0));
      const status = at(json, 'status');
      return {
        text: content.map((part) => text(at(part, 'text'))).join(''),
        reasoning: blocks(output, 'reasoning')
          .map((item) => text(at(item, 'summary', 0, 'text')))
          .join(''),
        refusal: content.map((part) => text(at(part, 'refusal'))).join(''),
        toolArguments: parsed(text(at(blocks(output, 'function_call'), 0, 'arguments'))),
        finish: at(json, 'incomplete_details', 'reason') ?? status,
        inputTokens: at(json, 'usage', 'input_tokens'),
        outputTokens: at(json, 'usage', 'output_tokens'),
        isComplete: status === 'completed' || status === 'incomplete',
        error: at(json, 'error', 'type') ?? at(json, 'error', 'code'),
      };
    }
    case 'anthropic': {
      const content = at(json, 'content');
      const finish = at(json, 'stop_reason');
      return {
        text: blocks(content, 'text')
          .map((block) => text(at(block, 'text')))
          .join(''),
        reasoning: blocks(content, 'thinking')
          .map((block) => text(at(block, 'thinking')))
          .join(''),
        refusal: '',
        toolArguments: at(blocks(content, 'tool_use'), 0, 'input'),
        finish,
        inputTokens: at(json, 'usage', 'input_tokens'),
        outputTokens: at(json, 'usage', 'output_tokens'),
        isComplete: typeof finish === 'string',
        error: at(json, 'error', 'type'),
      };
    }
    case 'ollama':
      return {
        text: text(at(json, 'message', 'content')),
        reasoning: text(at(json, 'message', 'thinking')),
        refusal: '',
        toolArguments: at(json, 'message', 'tool_calls', 0, 'function', 'arguments'),
        finish: at(json, 'done_reason'),
        inputTokens: at(json, 'prompt_eval_count'),
        outputTokens: at(json, 'eval_count'),
        isComplete: at(json, 'done') === true,
        error: at(json, 'error'),
      };
  }
}

function parsed(text: string): unknown {
  return text === '' ? undefined : JSON.parse(text);
}
