import { describe, expect, it } from 'vitest';
import { anthropic } from '../../../src/providers/anthropic/messages-api.ts';
import { START, STOP, block, blockEnd, ending, piece, readStream } from '../../support/anthropic-samples.ts';
import { answer, deltas } from '../../support/chat-samples.ts';

function whole(content: readonly unknown[], stopReason: unknown = 'end_turn') {
  const text = JSON.stringify({ type: 'message', id: 'msg_2', content, stop_reason: stopReason, usage: {} });
  return anthropic.response(JSON.parse(text), text);
}

describe('blocks of the Messages API that are never stopped', () => {
  it('end with the message: reasoning with its signature, a call without fragments with {}', () => {
    const events = readStream(
      START,
      block(0, { type: 'thinking', thinking: '', signature: '' }),
      piece(0, { type: 'thinking_delta', thinking: 'Hm' }),
      piece(0, { type: 'signature_delta', signature: 'sig' }),
      block(1, { type: 'text', text: '' }),
      piece(1, { type: 'text_delta', text: 'Hi' }),
      block(2, { type: 'tool_use', id: 'a', name: 'f', input: {} }),
      block(3, { type: 'tool_use', id: 'b', name: 'g', input: { n: 1 } }),
      ending('tool_use'),
      STOP,
    );
    const finished = deltas(events).filter(({ kind }) => kind === 'part_finished');
    expect(finished.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    const state = { type: 'thinking', signature: 'sig', model: 'claude-sonnet-5-5' };
    expect(finished[0]).toMatchObject({ state: new TextEncoder().encode(JSON.stringify(state)) });
    expect(answer(events)).toMatchObject({
      text: 'Hi',
      calls: [
        { name: 'f', arguments: '{}' },
        { name: 'g', arguments: '{"n":1}' },
      ],
      finish: { reason: 'TOOL_CALLS' },
    });
  });
});

describe('the input of a call', () => {
  it.each([
    ['{"id":2512292042121000001,"n":1.0}', '{"id":2512292042121000001,"n":1.0}'],
    ['"{\\"n\\":1}"', '{"n":1}'],
    ['""', '{}'],
    ['null', '{}'],
    ['[]', '{}'],
    ['[1]', '[1]'],
    ['{}', '{}'],
  ])('%s is read as %s, streamed or whole', (input, expected) => {
    const call = `{"type":"tool_use","id":"a","name":"f","input":${input}}`;
    const text = `{"type":"message","content":[${call}],"stop_reason":"tool_use","usage":{}}`;
    expect(answer(anthropic.response(JSON.parse(text), text)).calls).toEqual([
      { id: 'a', name: 'f', arguments: expected },
    ]);
    const read = anthropic.events();
    const streamed = [
      JSON.stringify(START),
      `{"type":"content_block_start","index":"0","content_block":${call}}`,
      JSON.stringify(blockEnd(0)),
    ].flatMap((data) => read({ name: '', data }));
    expect(answer(streamed).calls).toEqual([{ id: 'a', name: 'f', arguments: expected }]);
  });

  it('may come as one fragment that is an object, or be absent', () => {
    const fragment = piece(0, { type: 'input_json_delta', partial_json: { n: 1 } });
    const begun = block(0, { type: 'tool_use', id: 'a', name: 'f' });
    expect(answer(readStream(START, begun, fragment, blockEnd(0))).calls[0]?.arguments).toBe('{"n":1}');
    expect(answer(readStream(START, begun, blockEnd(0))).calls[0]?.arguments).toBe('{}');
  });

  it('is nothing of a call without a name', () => {
    expect(
      answer(
        whole([
          { type: 'text', text: 'Hi' },
          { type: 'tool_use', id: 'a', input: {} },
        ]),
      ),
    ).toMatchObject({
      text: 'Hi',
      calls: [],
      finish: { reason: 'STOP' },
    });
    const phantom = whole(
      [
        { type: 'text', text: 'Hi' },
        { type: 'tool_use', id: 'a', input: {} },
      ],
      'tool_use',
    );
    expect(answer(phantom).finish).toMatchObject({ reason: 'STOP', raw: 'tool_use' });
    expect(whole([{ type: 'tool_use', id: 'a', input: { n: 1 } }])).toMatchObject([{ failure: { class: 'protocol' } }]);
  });
});

describe('what other servers make of the Messages API', () => {
  it('may name the reason once and not again', () => {
    const events = readStream(START, ending('max_tokens'), ending(''), ending(null), STOP);
    expect(answer(events).finish).toMatchObject({ reason: 'LENGTH', raw: 'max_tokens' });
  });

  it.each([
    ['null', 'null'],
    ['blanks', ' '],
    ['the end marker of another API', '[DONE]'],
  ])('says nothing with %s', (_, data) => {
    const read = anthropic.events();
    expect(read({ name: '', data })).toEqual([]);
    const stop = JSON.stringify(STOP);
    expect(read({ name: '', data: `${stop}[DONE]` })).toMatchObject([{ type: 'finish' }, { type: 'end' }]);
  });

  it('may have words of other types than texts', () => {
    const content = [
      { type: 'text', text: ['Hel', { text: 'lo' }] },
      { type: 'text', text: 4 },
    ];
    expect(answer(whole(content)).text).toBe('Hello4');
    expect(whole([{ type: 'text', text: { bold: 'x' } }])).toMatchObject([{ failure: { class: 'protocol' } }]);
  });

  it('may end as others do', () => {
    const call = { type: 'tool_use', id: 'a', name: 'f', input: {} };
    expect(answer(whole([call], 'end_turn')).finish).toMatchObject({ reason: 'TOOL_CALLS', raw: 'end_turn' });
    expect(answer(whole([{ type: 'text', text: 'x' }], null)).finish).toMatchObject({
      reason: 'OTHER',
      raw: '',
      doubts: ['unknown_finish_reason'],
    });
    for (const raw of ['error', 'network_error', 'malformed_tool_use']) {
      expect(whole([{ type: 'text', text: 'x' }], raw)).toMatchObject([{ failure: { class: 'overload' } }]);
      expect(answer(readStream(START, ending(raw), STOP))).toMatchObject({ failure: { class: 'overload' } });
    }
  });

  it('may break off at a limit of the rate, by the word for their end', () => {
    const failure = { class: 'rate_limit', providerCode: 'rate_limit' };
    expect(whole([{ type: 'text', text: 'x' }], 'rate_limit')).toMatchObject([{ failure }]);
    expect(answer(readStream(START, ending('rate_limit'), STOP))).toMatchObject({ failure });
  });

  it('may have an error without its type', () => {
    const data = '{"error":{"type":"overloaded_error","message":"secret"}}';
    expect(anthropic.events()({ name: '', data })).toMatchObject([{ failure: { class: 'overload' } }]);
    expect(anthropic.response(JSON.parse(data))).toMatchObject([{ failure: { class: 'overload' } }]);
    const bare = '{"type":"rate_limit_error","message":"secret"}';
    expect(anthropic.events()({ name: 'error', data: bare })).toMatchObject([{ failure: { class: 'rate_limit' } }]);
  });

  it('tells that a block of a kind that nobody knows was left out', () => {
    const hologram = { type: 'hologram', light: 1 };
    const doubts = ['unknown_output'];
    expect(answer(whole([hologram]))).toMatchObject({ text: '', finish: { reason: 'STOP', doubts } });
    const streamed = readStream(START, block(0, hologram), blockEnd(0), ending('end_turn'), STOP);
    expect(answer(streamed)).toMatchObject({ finish: { reason: 'STOP', doubts }, failure: undefined });
  });
});
