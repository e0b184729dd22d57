import { describe, expect, it } from 'vitest';

import type { OpenAiApi } from '../../src/core/provider.ts';
import { createMockTransport } from '../../src/mock/scripted-transport.ts';
import type { HttpExchange, HttpHandler, Transport } from '../../src/core/transport.ts';
import { WIRES, bodyOf, exchange, requestFor } from '../support/mock-wire-reader.ts';
import type { Question, WireUnderTest } from '../support/mock-wire-reader.ts';
import { createVirtualRuntime } from '../support/virtual-runtime.ts';
import type { VirtualRuntime } from '../support/virtual-runtime.ts';

const CHAT: WireUnderTest = { name: 'chat', provider: 'mock', path: '/v1/chat/completions', form: 'chat' };
const OK: Question = { model: 'mock-ok', stream: true };

interface Stage {
  readonly runtime: VirtualRuntime;
  readonly transport: Transport;
  /** The names of the calls of the handler, in order. */
  readonly calls: string[];
  /** Sends a request; `on` hears of each call of the handler. */
  readonly send: (question: Question, on?: (call: string) => void) => HttpExchange;
}

function stage(): Stage {
  const runtime = createVirtualRuntime();
  const transport = createMockTransport({ runtime, provider: 'mock', seed: 7 });
  const calls: string[] = [];
  const send = (question: Question, on?: (call: string) => void): HttpExchange => {
    const note = (call: string): void => {
      calls.push(call);
      on?.(call);
    };
    const handler: HttpHandler = {
      onHeaders: () => note('headers'),
      onData: () => note('data'),
      onEnd: () => note('end'),
      onError: (error) => note(`error ${String(Reflect.get(Object(error), 'code'))}`),
    };
    return transport.send(requestFor(CHAT, question), handler);
  };
  return { runtime, transport, calls, send };
}

describe('the mock transport', () => {
  it('never calls the handler from within send', async () => {
    for (const model of ['mock-ok', 'mock-reset', 'mock-500']) {
      const { runtime, calls, send } = stage();
      send({ ...OK, model });
      expect(calls).toEqual([]);
      await runtime.runUntilIdle();
      expect(calls).not.toEqual([]);
    }
  });

  it('is silent after an abort, wherever it comes, and leaves no timer', async () => {
    for (const moment of [0, 1, 2, 5, 12]) {
      const { runtime, calls, send } = stage();
      const aborted: { exchange?: HttpExchange } = {};
      aborted.exchange = send(OK, () => {
        if (calls.length === moment) aborted.exchange?.abort();
      });
      if (moment === 0) aborted.exchange.abort();
      await runtime.runUntilIdle();
      expect(calls).toHaveLength(moment);
      expect(runtime.pendingTimers()).toBe(0);
      aborted.exchange.abort();
      aborted.exchange.resume();
      expect(runtime.pendingTimers()).toBe(0);
    }
  });

  it('gives nothing while paused, and all of it after', async () => {
    const plain = stage();
    plain.send(OK);
    await plain.runtime.runUntilIdle();
    const { runtime, calls, send } = stage();
    const paused = send(OK, () => {
      if (calls.length % 3 === 0) paused.pause();
    });
    for (let before = -1; before < calls.length;) {
      before = calls.length;
      await runtime.advance(1000);
      expect(calls.length % 3 === 0 || calls.at(-1) === 'end').toBe(true);
      paused.resume();
      expect(calls.length).toBeLessThanOrEqual(before + 3);
      await runtime.settle();
    }
    expect(calls).toEqual(plain.calls);
  });

  it('is no later with the next step than with the last one, as a provider that knows nothing of the load here', async () => {
    const due: (() => void)[] = [];
    const state = { nowMs: 0 };
    const runtime = {
      ...createVirtualRuntime(),
      now: () => state.nowMs,
      setTimer: (_ms: number, fire: () => void) => due.push(fire),
      clearTimer: () => undefined,
    };
    const calls: string[] = [];
    const note = (call: string) => (): void => void calls.push(call);
    createMockTransport({ runtime, provider: 'mock', seed: 7 }).send(requestFor(CHAT, OK), {
      onHeaders: note('headers'),
      onData: note('data'),
      onEnd: note('end'),
      onError: note('error'),
    });
    due.shift()?.();
    state.nowMs = 10_000;
    due.shift()?.();
    expect(calls.at(-1)).toBe('end');
    expect(due).toEqual([]);
  });

  it('pauses before the headers too', async () => {
    const { runtime, calls, send } = stage();
    const paused = send(OK);
    paused.pause();
    await runtime.advance(1000);
    expect(calls).toEqual([]);
    paused.resume();
    expect(calls).toEqual([]);
    await runtime.runUntilIdle();
    expect(calls.at(-1)).toBe('end');
  });

  it('breaks what is under way when it is closed, and refuses what comes after', async () => {
    const { runtime, transport, calls, send } = stage();
    send({ ...OK, model: 'mock-silence' });
    send({ ...OK, model: 'mock-slow' });
    await runtime.advance(100);
    await transport.close();
    expect(calls.filter((call) => call.startsWith('error'))).toEqual([
      'error UND_ERR_DESTROYED',
      'error UND_ERR_DESTROYED',
    ]);
    expect(runtime.pendingTimers()).toBe(0);
    send(OK);
    await runtime.runUntilIdle();
    expect(calls.at(-1)).toBe('error UND_ERR_DESTROYED');
  });

  it('serves one API alone where it is told to', async () => {
    const statusOf = async (api: OpenAiApi | undefined, path: string): Promise<number | undefined> => {
      const runtime = createVirtualRuntime();
      const transport = createMockTransport({ runtime, provider: 'openai', api, seed: 7 });
      const form = path.endsWith('responses') ? 'responses' : 'chat';
      const seen = exchange(transport, runtime, requestFor({ ...CHAT, path, form }, OK));
      await runtime.runUntilIdle();
      return seen.status;
    };
    expect(await statusOf(undefined, '/v1/responses')).toBe(200);
    expect(await statusOf('chat_completions', '/v1/responses')).toBe(404);
    expect(await statusOf('chat_completions', '/v1/chat/completions')).toBe(200);
    expect(await statusOf('responses', '/v1/chat/completions')).toBe(404);
  });
});

describe.each(WIRES)('a fault that goes away ($name)', (wire) => {
  const statuses = async (transport: Transport, runtime: VirtualRuntime, questions: readonly Question[]) => {
    const seen = questions.map((question) => exchange(transport, runtime, requestFor(wire, question)));
    await runtime.runUntilIdle();
    return seen.map(({ status }) => status);
  };

  it.each([
    ['mock-429-then-ok', 429],
    ['mock-500-then-ok', 500],
  ])(
    '%s fails on odd calls and succeeds on even ones, for each conversation and each transport',
    async (model, bad) => {
      const runtime = createVirtualRuntime();
      const transport = createMockTransport({ runtime, provider: wire.provider, seed: 7 });
      const [one, other] = [
        { model, stream: true, text: 'One' },
        { model, stream: false, text: 'Other' },
      ];
      expect(await statuses(transport, runtime, [one, other, one, one, other, one])).toEqual([
        bad,
        bad,
        200,
        bad,
        200,
        200,
      ]);
      const fresh = createMockTransport({ runtime, provider: wire.provider, seed: 7 });
      expect(await statuses(fresh, runtime, [one])).toEqual([bad]);
    },
  );

  it('asks to wait one second', async () => {
    const runtime = createVirtualRuntime();
    const transport = createMockTransport({ runtime, provider: wire.provider, seed: 7 });
    const seen = exchange(transport, runtime, requestFor(wire, { model: 'mock-429-then-ok', stream: true }));
    await runtime.runUntilIdle();
    expect(seen.headers['retry-after']).toBe('1');
  });
});

describe('a long wait', () => {
  it.each(WIRES)('is filled with signs of life where the provider sends them ($name)', async (wire) => {
    const runtime = createVirtualRuntime();
    const transport = createMockTransport({ runtime, provider: wire.provider, seed: 7 });
    const question = { model: 'mock-slow-first-token', stream: true };
    const seen = exchange(transport, runtime, requestFor(wire, question));
    await runtime.advance(19_000);
    const pings =
      bodyOf(seen)
        .toString()
        .match(/^(?:: keep-alive|event: ping)$/gm) ?? [];
    expect(pings).toHaveLength(['deepseek', 'anthropic'].includes(wire.provider) ? 4 : 0);
  });
});
