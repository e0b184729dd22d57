import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';

import { ChatRequestSchema } from '../../gen/understudy/v1/llm_pb.ts';
import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import type { Delta, Finish } from '../../src/core/answer.ts';
import type { FailureClass } from '../../src/core/failure.ts';
import type { AttemptEvent } from '../../src/core/ports.ts';
import { providerDefaults } from '../../src/config/port/provider-defaults.ts';

import { openExchange } from '../../src/upstream/exchange/http-exchange.ts';
import { createMockTransport } from '../../src/mock/scripted-transport.ts';
import type { ProviderApi } from '../support/every-adapter.ts';
import { EVERY_ADAPTER } from '../support/every-adapter.ts';
import { createVirtualRuntime } from '../support/virtual-runtime.ts';

interface Outcome {
  readonly text: string;
  readonly reasoning: string;
  readonly finish: string | undefined;
  readonly failure: FailureClass | undefined;
  readonly retryAfterMs: number | undefined;
  readonly outputTokens: number | undefined;
  readonly isOver: boolean;
}

async function ask({ provider, api, adapter }: ProviderApi, model: string, stream: boolean): Promise<Outcome> {
  const runtime = createVirtualRuntime();
  const content = [{ part: { case: 'text' as const, value: 'What is new?' } }];
  const chat = create(ChatRequestSchema, { messages: [{ role: Role.USER, content }] });
  const wire = adapter.request(chat, { name: 'lead', provider, model, stream });
  if (!('body' in wire)) throw new Error(`the adapter refused the request: ${wire.message}`);
  const events: AttemptEvent<Delta, Finish>[] = [];
  openExchange(
    {
      transport: createMockTransport({ runtime, provider, api, seed: 7 }),
      adapter,
      head: {
        url: new URL(`${providerDefaults(provider).baseUrl ?? 'https://mock.invalid/openai/v1'}${wire.path}`),
        headers: {},
      },
      wire,
      stream,
      runtime,
    },
    (event) => void events.push(event),
  );
  await runtime.runUntilIdle();
  return outcomeOf(events);
}

function outcomeOf(events: readonly AttemptEvent<Delta, Finish>[]): Outcome {
  const deltas = events.flatMap((event) => (event.type === 'output' ? [event.value] : []));
  const joined = (kind: 'text' | 'reasoning'): string =>
    deltas.map((delta) => (delta.kind === kind ? delta.text : '')).join('');
  const failure = events.find((event) => event.type === 'error')?.failure;
  return {
    text: joined('text'),
    reasoning: joined('reasoning'),
    finish: events.find((event) => event.type === 'terminal')?.final.reason,
    failure: failure?.class,
    retryAfterMs: failure?.retryAfterMs,
    outputTokens: events.findLast((event) => event.type === 'usage')?.usage.outputTokens,
    isOver: events.some((event) => event.type === 'end' || event.type === 'error'),
  };
}

/** What the engine gets to see of a fault, in every wire format the same. */
const FAILURES = {
  'mock-429': ['rate_limit'],
  'mock-429-retry-after': ['rate_limit', 2000],
  'mock-429-then-ok': ['rate_limit', 1000],
  'mock-quota': ['quota'],
  'mock-401': ['auth'],
  'mock-404': ['not_found'],
  'mock-500': ['overload'],
  'mock-500-then-ok': ['overload'],
  'mock-529': ['overload'],
  'mock-context-length': ['capability'],
  'mock-reset': ['reset'],
  'mock-stream-cut': ['reset'],
  'mock-stream-error': ['overload'],
  'mock-malformed': ['protocol'],
} as const satisfies Readonly<Record<string, readonly [FailureClass, number?]>>;

const WORDS = 'In which words an answer ends says src/mock/answer/chat-apis.ts, what they mean the adapter.';

for (const upstream of EVERY_ADAPTER) {
  for (const stream of [true, false]) {
    describe(`${upstream.provider} ${upstream.api}, ${stream ? 'streamed' : 'whole'}, through its adapter`, () => {
      it.each(Object.entries(FAILURES))('%s is a failure of its class', async (model, [expected, retryAfterMs]) => {
        const outcome = await ask(upstream, model, stream);
        expect(outcome).toMatchObject({ failure: expected, finish: undefined, retryAfterMs });
      });

      it('a missing end is a failure', async () => {
        const { failure, finish, text } = await ask(upstream, 'mock-no-end', stream);
        expect(finish).toBe(undefined);
        expect(failure).toBe(stream ? 'reset' : 'protocol');
        expect(text !== '').toBe(stream);
      });

      it('a blocked prompt is one where the provider has a code for it, and a bad request elsewhere', async () => {
        const { failure } = await ask(upstream, 'mock-prompt-blocked', stream);
        expect(['content', 'bad_request']).toContain(failure);
        if (upstream.provider === 'azure-openai' || upstream.provider === 'openai') expect(failure).toBe('content');
      });

      it('silence and a stall never end', async () => {
        expect(await ask(upstream, 'mock-silence', stream)).toMatchObject({ isOver: false, text: '' });
        expect(await ask(upstream, 'mock-stall', stream)).toMatchObject({ isOver: false, finish: undefined });
      });

      it.each([
        ['mock-ok', 'STOP'],
        ['mock-slow', 'STOP'],
        ['mock-slow-first-token', 'STOP'],
        ['mock-max-tokens', 'LENGTH'],
        ['mock-multibyte', 'STOP'],
        ['mock-empty', 'STOP'],
      ])('%s is an answer that ends with %s', async (model, finish) => {
        const outcome = await ask(upstream, model, stream);
        expect(outcome, WORDS).toMatchObject({ finish, failure: undefined, isOver: true });
        expect(outcome.text === '').toBe(model === 'mock-empty');
        if (model !== 'mock-empty') expect(outcome.outputTokens).toBeGreaterThan(0);
      });

      it('mock-content-filter and mock-refusal end as such, but for Ollama', async () => {
        const { finish } = await ask(upstream, 'mock-content-filter', stream);
        const refusal = await ask(upstream, 'mock-refusal', stream);
        expect(refusal.text).not.toBe('');
        if (upstream.provider === 'ollama') expect([finish, refusal.finish]).toEqual(['STOP', 'STOP']);
        else if (upstream.provider === 'anthropic') expect([finish, refusal.finish]).toEqual(['REFUSAL', 'REFUSAL']);
        // These have no field for a refusal.
        else if (upstream.provider === 'deepseek' || upstream.provider === 'mistral')
          expect([finish, refusal.finish]).toEqual(['CONTENT_FILTER', 'STOP']);
        else expect([finish, refusal.finish]).toEqual(['CONTENT_FILTER', 'REFUSAL']);
      });

      it('mock-reasoning shows its reasoning where the API does', async () => {
        const { reasoning, text, finish } = await ask(upstream, 'mock-reasoning', stream);
        const hides = ['openai', 'azure-openai'].includes(upstream.provider) && upstream.api === 'chat_completions';
        expect(reasoning === '').toBe(hides);
        expect(text).not.toBe('');
        expect(finish).toBe('STOP');
      });
    });
  }
}
