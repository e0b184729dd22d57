import type { ConfigInput } from '../../src/config/file/schema.ts';
import { event, ROLE_EVENT, STREAM_END, textEvent } from './openai-bodies.ts';

/** A streaming API as a chaos upstream writes it; every text is one or more whole events. */
export interface ChaosDialect {
  readonly name: string;
  readonly target: Partial<NonNullable<ConfigInput['targets']>[number]>;
  /** Added to the origin to make the base URL. */
  readonly path: string;
  readonly contentType: string;
  /** What comes before the first word and is none. */
  readonly startup: string;
  readonly say: (text: string) => string;
  /** The end marker and, before or within it, the usage of 9 and 3 tokens. */
  readonly end: string;
  /** What a provider that is overloaded says within a stream. */
  readonly error: string;
  /** What is no event of this API, however lenient the reader. */
  readonly malformed: string;
}

const MODEL = 'claude-sonnet-5-5';
const SSE = 'text/event-stream';

function named(data: { readonly type: string; readonly [field: string]: unknown }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}

function line(data: object): string {
  return `${JSON.stringify(data)}\n`;
}

const RESPONSE = { id: 'resp_1', object: 'response', model: 'model-1' };
const COUNTED = { input_tokens: 9, output_tokens: 3, total_tokens: 12 };

/** The four wire formats of the five providers. */
export const DIALECTS: readonly ChaosDialect[] = [
  {
    name: 'Chat Completions',
    target: {},
    path: '/v1',
    contentType: SSE,
    startup: ROLE_EVENT + event({ content: '' }),
    say: textEvent,
    end: STREAM_END,
    error: `data: ${JSON.stringify({ error: { message: 'Words.', type: 'server_error', code: null } })}\n\n`,
    malformed: 'data: {"choices": [\n\n',
  },
  {
    name: 'Responses',
    target: { api: 'responses' },
    path: '/v1',
    contentType: SSE,
    startup:
      named({ type: 'response.created', response: { ...RESPONSE, status: 'in_progress' } }) +
      named({ type: 'response.output_item.added', output_index: 0, item: { type: 'message', id: 'm', content: [] } }),
    say: (delta) => named({ type: 'response.output_text.delta', output_index: 0, content_index: 0, delta }),
    end: named({
      type: 'response.completed',
      response: { ...RESPONSE, status: 'completed', output: [], usage: COUNTED },
    }),
    error: named({ type: 'error', code: 'server_error', message: 'Words.', param: null }),
    malformed: 'event: response.output_text.delta\ndata: "\n\n',
  },
  {
    name: 'Messages',
    target: { provider: 'anthropic', model: MODEL },
    path: '',
    contentType: SSE,
    startup:
      named({
        type: 'message_start',
        message: {
          id: 'msg_1',
          type: 'message',
          role: 'assistant',
          model: MODEL,
          content: [],
          usage: { input_tokens: 9, output_tokens: 1 },
        },
      }) +
      named({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }) +
      named({ type: 'ping' }),
    say: (text) => named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
    end:
      named({ type: 'content_block_stop', index: 0 }) +
      named({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 3 } }) +
      named({ type: 'message_stop' }),
    error: named({ type: 'error', error: { type: 'overloaded_error', message: 'Words.' } }),
    malformed: 'event: content_block_delta\ndata: {"type":\n\n',
  },
  {
    name: 'Ollama',
    target: { provider: 'ollama' },
    path: '',
    contentType: 'application/x-ndjson',
    startup: line({ model: 'model-1', message: { role: 'assistant', content: '' }, done: false }),
    say: (content) => line({ model: 'model-1', message: { role: 'assistant', content }, done: false }),
    end: line({
      model: 'model-1',
      message: { role: 'assistant', content: '' },
      done: true,
      done_reason: 'stop',
      prompt_eval_count: 9,
      eval_count: 3,
    }),
    error: line({ error: 'Words.' }),
    malformed: '{"model":\n',
  },
];
