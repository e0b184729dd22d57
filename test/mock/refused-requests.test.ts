import { describe, expect, it } from 'vitest';

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

/** What each says of a field that it does not know, by the path; who is not listed overlooks it. */
const REFUSALS: Readonly<Record<string, readonly [number, string]>> = {
  'azure-openai /responses': [400, 'Unrecognized request argument supplied: no_such_field'],
  'azure-openai /chat/completions': [400, 'Unrecognized request argument supplied: no_such_field'],
  'openai /responses': [400, "Unknown parameter: 'no_such_field'."],
  'openai /chat/completions': [400, 'Unrecognized request argument supplied: no_such_field'],
  'anthropic /v1/messages': [400, 'no_such_field: Extra inputs are not permitted'],
  'groq /chat/completions': [400, 'Unrecognized request argument supplied: no_such_field'],
  'mistral /chat/completions': [422, 'extra_forbidden'],
  'mock /chat/completions': [400, 'Unrecognized request argument supplied: no_such_field'],
};

describe.each(EVERY_ADAPTER)('the mock as $provider at $path', ({ provider, path, adapter }) => {
  const target = { name: 'main', provider, model: 'mock-ok', stream: false };
  const withOptions = (own: Record<string, number>) =>
    wire(adapter.request(chatOf({ providerOptions: { [provider]: own } }), target)).body;

  it('answers what its adapter writes', async () => {
    expect((await answerOf(provider, path, withOptions({}))).status).toBe(200);
  });

  it('says of a field that the provider does not have what the provider says', async () => {
    const [status, words] = REFUSALS[`${provider} ${path}`] ?? [200, ''];
    const told = await answerOf(provider, path, withOptions({ no_such_field: 1 }));
    expect(told.status).toBe(status);
    expect(told.text).toContain(words);
    if (status === 200) return;
    const failure = adapter.failure({ status, headers: told.headers, body: told.text, wallMs: 0 });
    expect(['bad_request', 'capability']).toContain(failure.class);
  });
});

it('Mistral takes ids of nine letters and digits alone', async () => {
  const turns = (id: string) => [
    { role: 'user', content: 'Hi' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id, type: 'function', function: { name: 'f', arguments: '{}' } }],
    },
    { role: 'tool', tool_call_id: id, content: 'done' },
  ];
  const asked = (id: string) => answerOf('mistral', '/chat/completions', { model: 'mock-ok', messages: turns(id) });
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
