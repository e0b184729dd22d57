import type { PromptRead } from './prefix-cache.ts';

/** What a fake provider says: words, or a call of a tool. */
export interface Said {
  readonly text?: string;
  readonly call?: { readonly id: string; readonly name: string; readonly args: string };
}

const MODEL = 'a-model';
const OUTPUT = 20;

/** Writes a streamed answer as the API at a path does, with what was found in the cache. */
export function streamedAnswer(path: string, said: Said, read: PromptRead): string {
  if (path.endsWith('/responses')) return responsesStream(said, read);
  if (path.endsWith('/messages')) return messagesStream(said, read);
  return path.endsWith('/api/chat') ? ollamaLines(said, read) : completionChunks(said, read);
}

function completionChunks({ text, call }: Said, { tokens, cached }: PromptRead): string {
  const chunk = (choices: readonly unknown[], usage?: unknown) =>
    data({ id: 'c', object: 'chat.completion.chunk', created: 1, model: MODEL, choices, usage });
  const calls = call && [
    { index: 0, id: call.id, type: 'function', function: { name: call.name, arguments: call.args } },
  ];
  const delta = { role: 'assistant', content: text ?? null, tool_calls: calls };
  return [
    chunk([{ index: 0, delta, finish_reason: null }]),
    chunk([{ index: 0, delta: {}, finish_reason: call === undefined ? 'stop' : 'tool_calls' }]),
    chunk([], {
      prompt_tokens: tokens,
      completion_tokens: OUTPUT,
      total_tokens: tokens + OUTPUT,
      prompt_tokens_details: { cached_tokens: cached },
    }),
    'data: [DONE]\n\n',
  ].join('');
}

function responsesStream({ text, call }: Said, { tokens, cached }: PromptRead): string {
  const item =
    call === undefined
      ? { type: 'message', id: 'm', role: 'assistant', content: [{ type: 'output_text', text, annotations: [] }] }
      : { type: 'function_call', id: 'f', call_id: call.id, name: call.name, arguments: call.args };
  const usage = {
    input_tokens: tokens,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: OUTPUT,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: tokens + OUTPUT,
  };
  const response = { id: 'r', object: 'response', model: MODEL, status: 'completed', output: [item], usage };
  const at = { output_index: 0, item_id: item.id };
  const words =
    call === undefined
      ? { type: 'response.output_text.delta', ...at, content_index: 0, delta: text }
      : { type: 'response.function_call_arguments.delta', ...at, delta: call.args };
  const begun = call === undefined ? { ...item, content: [] } : { ...item, arguments: '' };
  return [
    { type: 'response.created', response: { ...response, status: 'in_progress', output: [], usage: null } },
    { type: 'response.output_item.added', output_index: 0, item: begun },
    words,
    { type: 'response.output_item.done', output_index: 0, item },
    { type: 'response.completed', response },
  ]
    .map((event) => data(event, event.type))
    .join('');
}

function messagesStream({ text, call }: Said, { tokens, cached, written }: PromptRead): string {
  const usage = {
    input_tokens: tokens - cached - written,
    cache_read_input_tokens: cached,
    cache_creation_input_tokens: written,
    output_tokens: 1,
  };
  const message = { id: 'm', type: 'message', role: 'assistant', model: MODEL, content: [], stop_reason: null, usage };
  const block =
    call === undefined ? { type: 'text', text: '' } : { type: 'tool_use', id: call.id, name: call.name, input: {} };
  const delta =
    call === undefined ? { type: 'text_delta', text } : { type: 'input_json_delta', partial_json: call.args };
  const reason = call === undefined ? 'end_turn' : 'tool_use';
  return [
    { type: 'message_start', message },
    { type: 'content_block_start', index: 0, content_block: block },
    { type: 'content_block_delta', index: 0, delta },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: reason, stop_sequence: null }, usage: { output_tokens: OUTPUT } },
    { type: 'message_stop' },
  ]
    .map((event) => data(event, event.type))
    .join('');
}

function ollamaLines({ text = '', call }: Said, { tokens }: PromptRead): string {
  const calls = call && [{ id: call.id, function: { name: call.name, arguments: JSON.parse(call.args) as unknown } }];
  const head = { model: MODEL, created_at: '2026-11-29T00:00:00Z' };
  return [
    { ...head, message: { role: 'assistant', content: text, tool_calls: calls }, done: false },
    {
      ...head,
      message: { role: 'assistant', content: '' },
      done: true,
      done_reason: 'stop',
      prompt_eval_count: tokens,
      eval_count: OUTPUT,
    },
  ]
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');
}

function data(event: unknown, name?: string): string {
  return `${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(event)}\n\n`;
}
