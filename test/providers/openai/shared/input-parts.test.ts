import { describe, expect, it } from 'vitest';
import { Role } from '../../../../gen/understudy/v1/chat_pb.ts';
import type { Adapter, Chat } from '../../../../src/providers/port/adapter.ts';
import { azureOpenAi } from '../../../../src/providers/azure-openai.ts';
import { openai } from '../../../../src/providers/openai.ts';
import { refusal, say, textPart, wire } from '../../../support/chat-samples.ts';
import { call, file, LINKED, message, PNG, request, result, text, thought } from '../../../support/tool-samples.ts';

const chat = openai('chat_completions');
const responses = openai('responses');
const PNG_URL = 'data:image/png;base64,AQID';
const PDF_URL = 'data:application/pdf;base64,AQID';
const MARK = { prompt_cache_breakpoint: { mode: 'explicit' } };
const MARKED = { cacheBreakpoint: true };

function body(adapter: Adapter, model: string, asked: Chat) {
  return wire(adapter.request(asked, { name: 'main', provider: 'openai', model, stream: false })).body;
}

function refusedField(adapter: Adapter, asked: Chat) {
  return refusal(adapter.request(asked, { name: 'main', provider: 'openai', model: 'gpt-4.1', stream: false })).field;
}

describe('images and files', () => {
  const asked = request({
    messages: [
      message(Role.USER, text('Look'), PNG, LINKED, file('application/pdf', 'a.pdf'), file('application/pdf')),
    ],
  });

  it('have the form of each API, and a file always has a name', () => {
    expect(body(chat, 'gpt-4.1', asked)['messages']).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look' },
          { type: 'image_url', image_url: { url: PNG_URL } },
          { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
          { type: 'file', file: { filename: 'a.pdf', file_data: PDF_URL } },
          { type: 'file', file: { filename: 'file.pdf', file_data: PDF_URL } },
        ],
      },
    ]);
    expect(body(responses, 'gpt-4.1', asked)['input']).toEqual([
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'Look' },
          { type: 'input_image', image_url: PNG_URL, detail: 'auto' },
          { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'auto' },
          { type: 'input_file', filename: 'a.pdf', file_data: PDF_URL },
          { type: 'input_file', filename: 'file.pdf', file_data: PDF_URL },
        ],
      },
    ]);
  });

  it('in results of tools go to Responses alone', () => {
    const turn = request({
      messages: [
        say(Role.USER, 'Hi'),
        message(Role.ASSISTANT, call('1', 'f')),
        result('1', [text('Here:'), PNG, file('text/plain', 'a.txt')]),
      ],
    });
    expect(body(responses, 'gpt-4.1', turn)['input']).toMatchObject([
      {},
      {},
      { output: [{ type: 'input_text' }, { type: 'input_image', image_url: PNG_URL }, { type: 'input_file' }] },
    ]);
    expect(refusedField(chat, turn)).toBe('messages[2].content[0].tool_result.content[1].image');
  });

  it('that an API has no place for are refused by name', () => {
    const plain = request({ messages: [message(Role.USER, file('text/plain', 'a.txt'))] });
    expect(refusedField(chat, plain)).toBe('messages[0].content[0].file.media_type');
    const dated = azureOpenAi('chat_completions', 'https://r.openai.azure.com/openai?api-version=2024-10-21');
    expect(refusedField(dated, asked)).toBe('messages[0].content[3].file');
  });

  it('where only a tool may speak, and results elsewhere, are refused by name', () => {
    const turn = [say(Role.USER, 'Hi'), message(Role.ASSISTANT, call('1', 'f'))];
    const words = request({ messages: [...turn, message(Role.TOOL, text('Done'))] });
    expect(refusedField(chat, words)).toBe('messages[2].content[0].text');
    const asUser = request({ messages: [...turn, { ...result('1', []), role: Role.USER }] });
    expect(refusedField(responses, asUser)).toBe('messages[2].content[0].tool_result');
  });
});

describe('the form of the answer', () => {
  const schema = { type: 'object', properties: { n: { type: 'integer' } } };
  const jsonSchema = { name: 'number', schemaJson: JSON.stringify(schema), strict: true };

  it('is text, any JSON or JSON of a schema, in the words of each API', () => {
    const object = request({ options: { responseFormat: { format: { case: 'jsonObject', value: {} } } } });
    expect(body(chat, 'gpt-4.1', object)['response_format']).toEqual({ type: 'json_object' });
    expect(body(responses, 'gpt-4.1', object)['text']).toEqual({ format: { type: 'json_object' } });
    const exact = request({ options: { responseFormat: { format: { case: 'jsonSchema', value: jsonSchema } } } });
    expect(body(chat, 'gpt-4.1', exact)['response_format']).toEqual({
      type: 'json_schema',
      json_schema: { name: 'number', schema, strict: true },
    });
    expect(body(responses, 'gpt-4.1', exact)['text']).toEqual({
      format: { type: 'json_schema', name: 'number', schema, strict: true },
    });
    expect(
      wire(chat.request(exact, { name: 'm', provider: 'openai', model: 'm', stream: true })).localSchema,
    ).toBeUndefined();
  });

  it('stands beside the own settings of the caller', () => {
    const asked = request({
      options: {
        responseFormat: { format: { case: 'jsonObject', value: {} } },
        providerOptions: { openai: { text: { verbosity: 'low' } } },
      },
    });
    expect(body(responses, 'gpt-5.6-sol', asked)['text']).toEqual({
      format: { type: 'json_object' },
      verbosity: 'low',
    });
  });

  it('with a schema that is no JSON object is refused by name', () => {
    const broken = { case: 'jsonSchema', value: { name: 'a', schemaJson: '1' } } as const;
    const asked = request({ options: { responseFormat: { format: broken } } });
    expect(refusedField(responses, asked)).toBe('options.response_format.json_schema.schema_json');
  });
});

function failed(words: string) {
  const value = { toolCallId: '1', isError: true, content: [text(words)] };
  return message(Role.TOOL, { part: { case: 'toolResult', value } });
}

describe('instructions that the assistant answers to alone', () => {
  it('stay in the input while the conversation grows', () => {
    const rules = { role: 'developer', content: 'Greet the guest.' };
    const first = [say(Role.SYSTEM, 'Greet the guest.')];
    const next = [...first, say(Role.ASSISTANT, 'Welcome!'), say(Role.USER, 'Hi')];
    for (const messages of [first, next]) {
      const sent = body(responses, 'gpt-5.1', request({ messages }));
      expect(sent).not.toHaveProperty('instructions');
      expect(sent['input']).toMatchObject([rules, ...messages.slice(1).map(() => ({}))]);
    }
  });
});

describe('marks for the cache', () => {
  const asked = request({
    messages: [
      message(Role.SYSTEM, text('Rules', MARKED)),
      message(Role.USER, text('One', MARKED), { ...PNG, ...MARKED }, text('Two')),
      message(Role.ASSISTANT, text('Yes', MARKED), { ...call('1', 'f'), ...MARKED }),
      message(Role.TOOL, { ...result('1', [text('a'), text('b')]).content?.[0], ...MARKED }),
    ],
  });

  it('go to models that take them, and instructions with one into the input', () => {
    const sent = body(responses, 'gpt-5.6-sol', asked);
    expect(sent).not.toHaveProperty('instructions');
    expect(sent['input']).toMatchObject([
      { role: 'developer', content: [{ text: 'Rules', ...MARK }] },
      { content: [{ text: 'One', ...MARK }, { type: 'input_image', ...MARK }, { text: 'Two' }] },
      { role: 'assistant', content: 'Yes' },
      { type: 'function_call' },
      { output: [{ text: 'a' }, { text: 'b', ...MARK }] },
    ]);
    expect(body(chat, 'gpt-6-luna', asked)['messages']).toMatchObject([
      { role: 'developer', content: 'Rules' },
      { content: [{ text: 'One', ...MARK }, { type: 'image_url', ...MARK }, { text: 'Two' }] },
      { role: 'assistant', content: [{ text: 'Yes', ...MARK }] },
      { role: 'tool', content: [{ text: 'a' }, { text: 'b', ...MARK }] },
    ]);
    const withRules = body(responses, 'gpt-5.5', asked);
    expect(JSON.stringify(withRules)).not.toContain('prompt_cache_breakpoint');
    expect(withRules['instructions']).toBe('Rules');
  });

  it('that move on leave the instructions where they were, and what failed as it was', () => {
    const turns = [
      message(Role.SYSTEM, text('Rules')),
      say(Role.USER, 'Hi'),
      message(Role.ASSISTANT, call('1', 'f')),
      message(Role.TOOL, {
        part: { case: 'toolResult', value: { toolCallId: '1', isError: true, content: [text('No', MARKED)] } },
      }),
    ];
    const later = [
      ...turns.slice(0, 3),
      failed('No'),
      say(Role.ASSISTANT, 'Sorry.'),
      message(Role.USER, text('Well', MARKED)),
    ];
    const rules = { role: 'developer', content: 'Rules' };
    expect(body(responses, 'gpt-5.6-sol', request({ messages: turns }))['input']).toMatchObject([
      rules,
      {},
      {},
      { output: [{ text: 'Error: No', ...MARK }] },
    ]);
    expect(body(responses, 'gpt-5.6-sol', request({ messages: later }))['input']).toMatchObject([
      rules,
      {},
      {},
      { output: 'Error: No' },
      {},
      { content: [{ text: 'Well', ...MARK }] },
    ]);
  });

  it('are four at most, the last ones', () => {
    const many = ['1', '2', '3', '4', '5'].map((words) => text(words, MARKED));
    const sent = body(chat, 'gpt-5.6-sol', request({ messages: [message(Role.USER, ...many)] }));
    expect(sent['messages']).toEqual([
      {
        role: 'user',
        content: [textPart('1'), ...['2', '3', '4', '5'].map((words) => Object.assign(textPart(words), MARK))],
      },
    ]);
  });
});

describe('reasoning of earlier turns', () => {
  const state = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'abc' };
  const asked = request({
    messages: [
      say(Role.USER, 'Hi'),
      message(
        Role.ASSISTANT,
        thought('Hm.', 'main', state),
        text('Looking.', {
          providerState: {
            target: 'main',
            data: new TextEncoder().encode(JSON.stringify({ type: 'message', phase: 'commentary' })),
          },
        }),
        call('1', 'f'),
      ),
      result('1', [text('Done')]),
    ],
  });

  it('stands where it was, and words keep their phase', () => {
    expect(body(responses, 'gpt-5.6-sol', asked)['input']).toEqual([
      { role: 'user', content: 'Hi' },
      { type: 'reasoning', summary: [], encrypted_content: 'abc' },
      { role: 'assistant', content: 'Looking.', phase: 'commentary' },
      { type: 'function_call', call_id: '1', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: '1', output: 'Done' },
    ]);
  });

  it('is not sent to a model that does not reason, nor over Chat Completions', () => {
    expect(JSON.stringify(body(responses, 'gpt-4.1', asked))).not.toContain('abc');
    expect(JSON.stringify(body(chat, 'gpt-5', asked))).not.toContain('Hm.');
  });
});
