import { describe, expect, it } from 'vitest';
import { ollama } from '../../../src/providers/ollama/chat-api.ts';
import { answer } from '../../support/chat-samples.ts';

function lines(...data: readonly string[]) {
  const read = ollama.events();
  return data.flatMap((text) => read({ name: '', data: text }));
}

const DONE = '{"message":{"content":""},"done":true,"done_reason":"stop"}';

function called(call: string) {
  return `{"created_at":"2026-11-22T01:02:03Z","message":{"content":"","tool_calls":${call}},"done":false}`;
}

describe('calls of Ollama', () => {
  it.each([
    ['{"id":2512292042121000001,"n":1.0}', '{"id":2512292042121000001,"n":1.0}'],
    ['"{\\"n\\":1}"', '{"n":1}'],
    ['""', '{}'],
    ['" "', '{}'],
    ['"null"', '{}'],
    ['null', '{}'],
    ['{}', '{}'],
  ])('have the arguments %s as %s, streamed or whole', (given, expected) => {
    const call = `[{"id":"a","function":{"name":"f","arguments":${given}}}]`;
    const calls = [{ id: 'a', name: 'f', arguments: expected }];
    expect(answer(lines(called(call), DONE))).toMatchObject({ calls, finish: { reason: 'TOOL_CALLS' } });
    const text = called(call).replace('"done":false', '"done":true,"done_reason":"stop"');
    expect(answer(ollama.response(JSON.parse(text), text))).toMatchObject({ calls });
  });

  it('are none without a name, and a failure where such a one has arguments', () => {
    const phantom = called('[{"function":{"name":"","arguments":{}}}]');
    expect(answer(lines(phantom, '{"message":{"content":"Hi"}}', DONE))).toMatchObject({
      text: 'Hi',
      calls: [],
      finish: { reason: 'STOP' },
    });
    const lost = called('[{"function":{"arguments":{"n":1}}}]');
    expect(answer(lines(lost, DONE))).toMatchObject({ finish: undefined, failure: { class: 'protocol' } });
  });

  it('may be one object, or have no envelope', () => {
    expect(answer(lines(called('{"id":"a","name":"f","arguments":{"n":1}}'), DONE)).calls).toEqual([
      { id: 'a', name: 'f', arguments: '{"n":1}' },
    ]);
    expect(answer(lines(called('[7]'))).failure).toMatchObject({ class: 'protocol' });
  });
});

describe('lines of Ollama', () => {
  it('may be null, and may have words in other types', () => {
    const read = answer(lines('null', '{"message":{"content":["Hel",{"text":"lo"}]}}', 'null', DONE));
    expect(read).toMatchObject({ text: 'Hello', finish: { reason: 'STOP' } });
  });

  it.each(['thinking', 'reasoning', 'reasoning_content'])('may have what the model thought as %s', (field) => {
    const read = answer(lines(`{"message":{"content":"","${field}":"Hm"}}`, '{"message":{"content":"Hi"}}', DONE));
    expect(read).toMatchObject({ reasoning: 'Hm', text: 'Hi' });
  });

  it('may say that there is no error', () => {
    expect(answer(lines('{"error":"","message":{"content":"Hi"}}', '{"error":null,"done":true}'))).toMatchObject({
      text: 'Hi',
      finish: { reason: 'OTHER', doubts: ['unknown_finish_reason'] },
    });
  });

  it('keep the word by which they broke off', () => {
    const end = DONE.replace('"stop"', '"rate_limit"');
    const failure = { class: 'rate_limit', providerCode: 'rate_limit' };
    expect(answer(lines('{"message":{"content":"Half"}}', end))).toMatchObject({ failure });
  });

  it.each(['error', 'aborted', 'timeout'])('break off with the reason %s', (reason) => {
    const end = DONE.replace('"stop"', `"${reason}"`);
    expect(answer(lines('{"message":{"content":"Half"}}', end))).toMatchObject({
      text: 'Half',
      finish: undefined,
      failure: { class: 'overload' },
    });
  });
});
