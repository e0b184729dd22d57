import { describe, expect, it } from 'vitest';
import type { AdapterEvent } from '../../../src/providers/port/adapter.ts';
import { anthropic } from '../../../src/providers/anthropic/messages-api.ts';
import { ollama } from '../../../src/providers/ollama/chat-api.ts';
import { openai } from '../../../src/providers/openai.ts';
import { START, block, piece } from '../../support/anthropic-samples.ts';

const ADAPTERS = {
  responses: openai('responses'),
  'Chat Completions': openai('chat_completions'),
  Anthropic: anthropic,
  Ollama: ollama,
} as const;

function read(name: keyof typeof ADAPTERS, ...events: readonly unknown[]): readonly AdapterEvent[] {
  const reader = ADAPTERS[name].events();
  return events.flatMap((event) => reader({ name: '', data: JSON.stringify(event) }));
}

const UNKNOWN = { type: 'unknown' };
const ITEM_DONE = 'response.output_item.done';

describe('what an adapter does not know', () => {
  it.each([
    ['responses', { type: 'response.new_kind' }],
    ['responses', { type: ITEM_DONE, output_index: 0, item: { type: 'hologram' } }],
    ['Chat Completions', { object: 'chat.completion.mood', mood: 'good' }],
    ['Anthropic', { type: 'message_mood' }],
    ['Ollama', { status: 'warming up' }],
  ] as const)('is told as such, by the adapter of %s: %j', (name, event) => {
    expect(read(name, event)).toEqual([UNKNOWN]);
  });

  it('is a block or a piece of one, too', () => {
    const events = read('Anthropic', START, block(0, { type: 'hologram' }), piece(0, { type: 'light_delta' }));
    expect(events.filter(({ type }) => type === 'unknown')).toHaveLength(1);
    const begun = block(0, { type: 'text', text: '' });
    expect(read('Anthropic', START, begun, piece(0, { type: 'light_delta' })).at(-1)).toEqual(UNKNOWN);
  });
});

describe('what says nothing of the answer but is known', () => {
  it.each([
    ['responses', { type: 'response.content_part.added', output_index: 0, content_index: 0 }],
    ['responses', { type: 'response.web_search_call.searching', output_index: 0 }],
    ['responses', { type: 'response.code_interpreter_call_code.delta', output_index: 0, delta: '1' }],
    ['responses', { type: ITEM_DONE, output_index: 0, item: { type: 'file_search_call' } }],
    ['responses', { type: ITEM_DONE, output_index: 0, item: { type: 'mcp_list_tools' } }],
    ['Chat Completions', { choices: [], prompt_filter_results: [] }],
    ['Chat Completions', { choices: [{ index: 0, content_filter_offsets: {} }] }],
    ['Anthropic', { type: 'ping' }],
    ['Anthropic', block(0, { type: 'server_tool_use', id: 's', name: 'web_search', input: {} })],
    ['Anthropic', block(0, { type: 'web_search_tool_result', content: [] })],
  ] as const)('is nothing to the adapter of %s: %j', (name, event) => {
    expect(read(name, event)).toEqual([]);
  });
});
