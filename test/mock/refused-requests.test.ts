import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { chatApiOf } from '../../src/mock/answer/chat-apis.ts';
import { createMockTransport } from '../../src/mock/scripted-transport.ts';
import type { ProviderName } from '../../src/core/provider.ts';
import { chatOf, wire } from '../support/chat-samples.ts';
import { EVERY_ADAPTER } from '../support/every-adapter.ts';
import { at, bodyOf, exchange, jsonOf } from '../support/mock-wire-reader.ts';
import { createVirtualRuntime } from '../support/virtual-runtime.ts';

const VERSION = { 'anthropic-version': '2026-10-21' };

/** Sends a body to the mock of a provider and returns what comes. */
async function answerOf(provider: ProviderName, path: string, body: object) {
  const runtime = createVirtualRuntime();
  const transport = createMockTransport({ runtime, provider, seed: 1 });
  const url = new URL(`http://mock.invalid${path}`);
  const seen = exchange(transport, runtime, { method: 'POST', url, headers: VERSION, body: JSON.stringify(body) });
  await runtime.runUntilIdle();
  return { status: seen.status, headers: seen.headers, text: bodyOf(seen).toString('utf8') };
}

/** A conversation in which a tool was called under an id. */
function withCall(id: string): readonly object[] {
  return [
    { role: 'user', content: 'Hi' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id, type: 'function', function: { name: 'f', arguments: '{}' } }],
    },
    { role: 'tool', tool_call_id: id, content: 'done' },
  ];
}

/** The table that says how a provider speaks Chat Completions. */
const TABLE = 'src/mock/answer/chat-apis.ts';

/** What most say of a field that they do not know. */
const UNRECOGNIZED = [400, 'Unrecognized request argument supplied: no_such_field'] as const;

/** What the others say, by the path; with status 200 they overlook it. */
const REFUSALS: Readonly<Record<string, readonly [number, string]>> = {
  'openai /responses': [400, "Unknown parameter: 'no_such_field'."],
  'anthropic /v1/messages': [400, 'no_such_field: Extra inputs are not permitted'],
  'deepseek /chat/completions': [200, ''],
  'ollama /api/chat': [200, ''],
  'mistral /chat/completions': [422, 'extra_forbidden'],
};

describe.each(EVERY_ADAPTER)('the mock as $provider at $path', ({ provider, path, adapter }) => {
  const target = { name: 'main', provider, model: 'mock-ok', stream: false };
  const withOptions = (own: Record<string, number>) =>
    wire(adapter.request(chatOf({ providerOptions: { [provider]: own } }), target)).body;

  it('answers what its adapter writes', async () => {
    expect((await answerOf(provider, path, withOptions({}))).status).toBe(200);
  });

  it('says of a field that the provider does not have what the provider says', async () => {
    const [status, words] = REFUSALS[`${provider} ${path}`] ?? UNRECOGNIZED;
    const told = await answerOf(provider, path, withOptions({ no_such_field: 1 }));
    expect(told.status, TABLE).toBe(status);
    expect(told.text, TABLE).toContain(words);
    if (status === 200) return;
    const failure = adapter.failure({ status, headers: told.headers, body: told.text, wallMs: 0 });
    expect(['bad_request', 'capability']).toContain(failure.class);
  });
});

describe.each(EVERY_ADAPTER.filter(({ path }) => path === '/chat/completions'))(
  'the mock as $provider at Chat Completions',
  ({ provider, path }) => {
    const { callIds: form = /^/, finishReasons } = chatApiOf(provider);
    const answerTo = (model: string, messages: readonly object[], more: object = {}) =>
      answerOf(provider, path, { model, messages, ...more });
    const greeting = { role: 'user', content: 'Hi' };

    it('takes ids of calls of the provider’s form alone', async () => {
      for (const id of [...fc.sample(fc.stringMatching(form), 5), 'call_1', 'functions.f:0', 'x'.repeat(100)]) {
        const { status } = await answerTo('mock-ok', withCall(id));
        expect(status, `${TABLE}: ${id}`).toBe(form.test(id) ? 200 : 400);
      }
    });

    it('makes ids of calls of that form, and ends with the provider’s words', async () => {
      const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }];
      const called = jsonOf((await answerTo('mock-tool-call', [greeting], { tools })).text);
      expect(at(called, 'choices', 0, 'message', 'tool_calls', 0, 'id'), TABLE).toMatch(form);
      const said = await answerTo('mock-ok', [greeting]);
      const streamed = await answerTo('mock-ok', [greeting], { stream: true });
      const word = finishReasons?.stop ?? 'stop';
      expect(at(jsonOf(said.text), 'choices', 0, 'finish_reason'), TABLE).toBe(word);
      expect(streamed.text, TABLE).toContain(`"finish_reason":"${word}"`);
    });
  },
);

it('Mistral takes ids of nine letters and digits alone', async () => {
  const asked = (id: string) => answerOf('mistral', '/chat/completions', { model: 'mock-ok', messages: withCall(id) });
  expect((await asked('D681PevKs')).status).toBe(200);
  const refused = await asked('call_1');
  expect(refused.status).toBe(400);
  expect(at(jsonOf(refused.text), 'object')).toBe('error');
});

it('Mistral thinks in a part of the content, has ids of its own, and tells usage without being asked', async () => {
  const tools = [{ type: 'function', function: { name: 'f', parameters: {} } }];
  const asked = (model: string) =>
    answerOf('mistral', '/chat/completions', { model, messages: [{ role: 'user', content: 'Hi' }], tools });
  const thought = jsonOf((await asked('mock-reasoning')).text);
  expect(at(thought, 'choices', 0, 'message', 'content')).toMatchObject([{ type: 'thinking' }, { type: 'text' }]);
  const called = jsonOf((await asked('mock-tool-call')).text);
  expect(at(called, 'choices', 0, 'message', 'tool_calls', 0, 'id')).toMatch(/^[A-Za-z0-9]{9}$/);
  expect(at(called, 'usage', 'completion_tokens')).toBeGreaterThan(0);
});
