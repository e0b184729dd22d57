import { describe, expect, it } from 'vitest';

import { createMockTransport } from '../../src/mock/scripted-transport.ts';
import { WIRES, at, bodyOf, exchange, jsonOf, requestFor } from '../support/mock-wire-reader.ts';
import type { Exchanged, WireUnderTest } from '../support/mock-wire-reader.ts';
import { createVirtualRuntime } from '../support/virtual-runtime.ts';

type Expected = readonly [status: number, way: readonly string[], value: unknown];

const CODE = ['error', 'code'];
const TYPE = ['error', 'type'];

/** Status, and the word of the provider for it, by model and wire format; from the providers' documentation. */
const EXPECTED: Readonly<Record<string, Readonly<Record<string, Expected>>>> = {
  'mock-429': {
    openai: [429, CODE, 'rate_limit_exceeded'],
    azure: [429, CODE, 'RateLimitReached'],
    deepseek: [429, TYPE, 'rate_limit_error'],
    anthropic: [429, TYPE, 'rate_limit_error'],
    ollama: [429, ['error'], 'too many requests'],
  },
  'mock-quota': {
    openai: [429, CODE, 'insufficient_quota'],
    azure: [429, CODE, 'insufficient_quota'],
    deepseek: [402, TYPE, 'unknown_error'],
    anthropic: [402, TYPE, 'billing_error'],
    ollama: [402, ['error'], 'the credit of this account is used up'],
  },
  'mock-401': {
    openai: [401, CODE, 'invalid_api_key'],
    azure: [401, CODE, '401'],
    deepseek: [401, TYPE, 'authentication_error'],
    anthropic: [401, TYPE, 'authentication_error'],
    ollama: [401, ['error'], 'unauthorized'],
  },
  'mock-404': {
    openai: [404, TYPE, 'invalid_request_error'],
    azure: [404, CODE, 'DeploymentNotFound'],
    deepseek: [404, CODE, 'invalid_request_error'],
    anthropic: [404, TYPE, 'not_found_error'],
    ollama: [404, ['error'], "model 'mock-404' not found"],
  },
  'mock-500': {
    openai: [500, TYPE, 'server_error'],
    azure: [500, CODE, 'InternalServerError'],
    deepseek: [500, TYPE, 'server_error'],
    anthropic: [500, TYPE, 'api_error'],
    ollama: [500, ['error'], 'the model runner has stopped unexpectedly'],
  },
  'mock-529': {
    openai: [503, TYPE, 'server_error'],
    azure: [503, CODE, 'ServiceUnavailable'],
    deepseek: [503, TYPE, 'server_error'],
    anthropic: [529, TYPE, 'overloaded_error'],
    ollama: [503, ['error'], 'server busy, please try again.  maximum pending requests exceeded'],
  },
  'mock-prompt-blocked': {
    openai: [400, CODE, 'content_policy_violation'],
    azure: [400, CODE, 'content_filter'],
    deepseek: [400, ['error', 'message'], 'Content Exists Risk'],
    anthropic: [400, ['error', 'message'], 'Output blocked by content filtering policy'],
    ollama: [400, ['error'], 'the prompt was refused by the content filter'],
  },
  'mock-context-length': {
    openai: [400, CODE, 'context_length_exceeded'],
    azure: [400, CODE, 'context_length_exceeded'],
    deepseek: [400, CODE, 'invalid_request_error'],
    anthropic: [400, TYPE, 'invalid_request_error'],
    ollama: [400, ['error'], 'the input length exceeds the context length'],
  },
};

const ID_HEADERS: Readonly<Record<string, string>> = {
  mock: 'x-request-id',
  openai: 'x-request-id',
  'azure-openai': 'apim-request-id',
  deepseek: 'x-ds-trace-id',
  anthropic: 'request-id',
};

function house(wire: WireUnderTest): string {
  return { mock: 'openai', 'azure-openai': 'azure' }[wire.provider as string] ?? wire.provider;
}

async function failed(wire: WireUnderTest, model: string, stream: boolean): Promise<Exchanged & { json: unknown }> {
  const runtime = createVirtualRuntime();
  const transport = createMockTransport({ runtime, provider: wire.provider, seed: 7 });
  const seen = exchange(transport, runtime, requestFor(wire, { model, stream }));
  await runtime.runUntilIdle();
  return { ...seen, json: jsonOf(bodyOf(seen).toString()) };
}

describe.each(WIRES)('$name', (wire) => {
  for (const stream of [true, false]) {
    for (const [model, houses] of Object.entries(EXPECTED)) {
      it(`answers ${model} with its own status and body (${stream ? 'stream' : 'whole'})`, async () => {
        const [status, way, value] = houses[house(wire)] ?? [];
        const seen = await failed(wire, model, stream);
        expect(seen).toMatchObject({ status, over: 'end' });
        expect(seen.headers['content-type']).toBe('application/json');
        expect(at(seen.json, ...(way ?? []))).toBe(value);
        expect(Object.keys(seen.headers).filter((name) => name.startsWith('retry-after'))).toEqual([]);
      });
    }
  }

  it('gives Retry-After in seconds where the model says so, and in milliseconds where the provider does', async () => {
    const { status, headers } = await failed(wire, 'mock-429-retry-after', true);
    expect(status).toBe(429);
    expect(headers['retry-after']).toBe('2');
    const givesMs = ['mock', 'openai', 'azure-openai'].includes(wire.provider);
    expect(headers['retry-after-ms']).toBe(givesMs ? '2000' : undefined);
  });

  it('carries the id of the call in its headers', async () => {
    const name = ID_HEADERS[wire.provider];
    const { headers, json } = await failed(wire, 'mock-500', true);
    if (name !== undefined) expect(headers[name]).toMatch(/^[a-z0-9_-]{20,}$/);
    if (wire.form === 'anthropic') expect(at(json, 'request_id')).toBe(headers['request-id']);
  });

  it('says what is wrong with a prompt that is too long in the words that clients look for', async () => {
    const { json } = await failed(wire, 'mock-context-length', false);
    const message = String(at(json, 'error', 'message') ?? at(json, 'error'));
    expect(message).toMatch(/prompt is too long|maximum context length|context window|exceeds the context length/);
  });

  it('resets the connection before any header', async () => {
    const seen = await failed(wire, 'mock-reset', true);
    expect(seen).toMatchObject({ status: undefined, over: 'error', error: { code: 'ECONNRESET', syscall: 'read' } });
    expect(seen.error).toBeInstanceOf(Error);
  });

  it('is silent for ever', async () => {
    const seen = await failed(wire, 'mock-silence', true);
    expect(seen).toMatchObject({ status: undefined, over: 'no', chunks: [] });
  });

  it('refuses a body that is no JSON, and an unknown path', async () => {
    const runtime = createVirtualRuntime();
    const transport = createMockTransport({ runtime, provider: wire.provider, seed: 7 });
    const request = requestFor(wire, { model: 'mock-ok', stream: false });
    const spoilt = exchange(transport, runtime, { ...request, body: '{"model":' });
    const lost = exchange(transport, runtime, { ...request, url: new URL('http://mock.invalid/v1/embeddings') });
    await runtime.runUntilIdle();
    expect([spoilt.status, lost.status]).toEqual([400, 404]);
  });
});

describe('the Anthropic mock', () => {
  const wire = WIRES.filter(({ form }) => form === 'anthropic');

  it.each(wire)('refuses what version 2026-10-21 refuses: no max_tokens, and sampling parameters', async (wire) => {
    const runtime = createVirtualRuntime();
    const transport = createMockTransport({ runtime, provider: wire.provider, seed: 7 });
    const ask = (version: string, more: object): Exchanged => {
      const body = JSON.stringify({ model: 'mock-ok', messages: [{ role: 'user', content: 'Hi' }], ...more });
      const request = requestFor(wire, { model: 'mock-ok', stream: false });
      return exchange(transport, runtime, { ...request, headers: { 'anthropic-version': version }, body });
    };
    const seen = [
      ask('2026-10-21', { max_tokens: 10 }),
      ask('2026-10-21', {}),
      ask('2026-10-21', { max_tokens: 10, temperature: 1 }),
      ask('2023-06-01', { max_tokens: 10, temperature: 1 }),
    ];
    await runtime.runUntilIdle();
    expect(seen.map(({ status }) => status)).toEqual([200, 400, 400, 200]);
  });
});
