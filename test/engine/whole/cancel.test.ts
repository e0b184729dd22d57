import { getEventListeners } from 'node:events';

import { describe, expect, it } from 'vitest';

import type { HarnessOptions } from '../../support/engine-harness.ts';
import { createEngineHarness, entryOf, failureOf, successOf, trailOf } from '../../support/engine-harness.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import type { Script } from '../../support/upstream-scripts.ts';
import {
  after,
  answer,
  END,
  fails,
  headers,
  output,
  SILENCE,
  startup,
  terminal,
} from '../../support/upstream-scripts.ts';

const WHOLE: Script = [
  after(10, headers()),
  after(10, startup()),
  after(10, output('a')),
  after(10, terminal()),
  after(10, END),
];

describe('a caller that cancels', () => {
  it.each([
    ['before headers', 5, 'CONNECTING'],
    ['behind headers', 15, 'GATED'],
    ['behind startup events', 25, 'GATED'],
    ['in the flow', 35, 'FLOWING'],
    ['while usage is awaited', 45, 'TAIL'],
  ])('%s has the call aborted in the same turn', async (_where, atMs, phase) => {
    for (const isStream of [true, false]) {
      const { ask, runtime, upstream, health } = createEngineHarness(['a', 'b']);
      upstream.script('a', WHOLE);
      const { cancel, result } = ask(['a', 'b'], isStream ? { client: new RecordingClient(runtime) } : {});
      await runtime.advance(atMs);
      cancel();
      expect(upstream.notes.at(-1)).toMatchObject({ what: 'abort', atMs });
      const ended = await result;
      expect(failureOf(ended)).toMatchObject({ status: 'CANCELLED', reason: 'CANCELLED', contacted: true });
      expect(ended).toMatchObject({ attempts: [{ phase, failure: { class: 'client_cancel' } }], elapsedMs: atMs });
      expect(upstream.calls).toEqual(['a']);
      expect(runtime.pendingTimers()).toBe(0);
      expect(health('a')).toMatchObject({ failures: 0, inFlight: 0, lastError: undefined });
    }
  });

  it('while its stream is paused has the call aborted in the same turn', async () => {
    const { ask, runtime, upstream } = createEngineHarness(['a']);
    upstream.script('a', [after(10, output('a')), after(10, output('b'))]);
    const client = new RecordingClient(runtime);
    client.takeOnly(1);
    const { cancel, result } = ask(['a'], { client });
    await runtime.advance(5_000);
    cancel();
    expect(upstream.notes.at(-1)).toMatchObject({ what: 'abort', atMs: 5_000 });
    expect(failureOf(await result).status).toBe('CANCELLED');
    expect(runtime.pendingTimers()).toBe(0);
    client.read();
    expect(client.text).toBe('a');
  });

  const sick: Script = fails('overload', {}, 0);
  it.each<[string, HarnessOptions, readonly string[], Script]>([
    ['before a repeat on the same target', {}, ['a', 'b'], sick],
    ['before the next round', {}, ['a'], sick],
    ['for a rate limit to end', {}, ['a'], fails('rate_limit', { retryAfterMs: 20_000 }, 0)],
  ])(
    'retry-abort-in-backoff: in a wait %s is answered at once, and nothing is tried any more',
    async (_where, options, chain, script) => {
      const { ask, runtime, upstream } = createEngineHarness(['a', 'b'], options);
      upstream.always('a', script);
      upstream.always('b', script);
      const { cancel, result } = ask(chain);
      await runtime.advance(200);
      expect(upstream.calls).toEqual(['a']);
      cancel();
      const ended = await result;
      expect(failureOf(ended).status).toBe('CANCELLED');
      expect(ended.elapsedMs).toBe(200);
      expect(runtime.pendingTimers()).toBe(0);
      await runtime.advance(60_000);
      expect(upstream.calls).toEqual(['a']);
    },
  );

  it('before the first call is answered without one', async () => {
    const { ask, runtime, upstream } = createEngineHarness(['a']);
    upstream.script('a', fails('rate_limit', { retryAfterMs: 5_000 }, 0));
    const first = ask(['a'], { timeoutMs: 100 });
    await runtime.advance(10);
    await first.result;
    const { cancel, result } = ask(['a'], { client: new RecordingClient(runtime) });
    cancel();
    expect(failureOf(await result)).toMatchObject({ status: 'CANCELLED', contacted: false });
    expect(upstream.calls).toHaveLength(1);
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('before it asks is answered without a call, and no one listens to its signal behind the end', async () => {
    const { engine, runtime, upstream } = createEngineHarness(['a']);
    const controller = new AbortController();
    const call = (signal: AbortSignal) =>
      engine.run<string, string>({ chain: [entryOf('a')], signal, prepare: (entry) => upstream.prepare(entry) });
    expect(failureOf(await call(AbortSignal.abort())).status).toBe('CANCELLED');
    expect(upstream.calls).toEqual([]);
    upstream.script('a', answer(10, 'whole'));
    const result = call(controller.signal);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    await runtime.advance(10);
    await result;
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('on hearing of the first words gets none of them', async () => {
    const { ask, runtime, upstream } = createEngineHarness(['a']);
    upstream.script('a', WHOLE);
    const client = new RecordingClient(runtime);
    const { cancel, result } = ask(['a'], { client });
    client.onNote = ({ what }) => {
      if (what === 'started') cancel();
    };
    await runtime.advance(1_000);
    expect(failureOf(await result).status).toBe('CANCELLED');
    expect(client.notes).toHaveLength(1);
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('in the same turn as the end of the answer gets the answer', async () => {
    const { ask, runtime, upstream } = createEngineHarness(['a']);
    upstream.script('a', answer(10, 'whole'));
    const { cancel, result } = ask(['a'], {
      prepare: (entry) => {
        const prepared = upstream.prepare(entry, { streams: false });
        return {
          ...prepared,
          open: (sink) =>
            prepared.open((event) => {
              sink(event);
              if (event.type === 'end') cancel();
            }),
        };
      },
    });
    await runtime.advance(10);
    expect(successOf(await result).outputs).toEqual(['whole']);
  });

  it('in the same turn as a failure is not sent on to the next target', async () => {
    const { ask, runtime, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', fails('overload'));
    const { cancel, result } = ask(['a', 'b'], {
      prepare: (entry) => {
        const prepared = upstream.prepare(entry);
        return {
          ...prepared,
          open: (sink) =>
            prepared.open((event) => {
              sink(event);
              cancel();
            }),
        };
      },
    });
    await runtime.advance(10);
    const ended = await result;
    expect(failureOf(ended).status).toBe('CANCELLED');
    expect(trailOf(ended)).toEqual(['FIRST a overload']);
    expect(upstream.calls).toEqual(['a']);
  });

  it('after the end changes nothing', async () => {
    const { ask, runtime, upstream, health } = createEngineHarness(['a']);
    upstream.script('a', answer(10, 'whole'));
    const { cancel, result } = ask(['a']);
    await runtime.advance(10);
    await result;
    cancel();
    expect(upstream.notes.map(({ what }) => what)).toEqual(['open', 'release']);
    expect(health('a').inFlight).toBe(0);
  });

  it('does not touch the other requests', async () => {
    const { ask, runtime, upstream } = createEngineHarness(['a']);
    upstream.always('a', answer(100, 'whole'));
    const [one, other] = [ask(['a']), ask(['a'])];
    await runtime.advance(50);
    one.cancel();
    await runtime.advance(50);
    expect((await one.result).ok).toBe(false);
    expect((await other.result).ok).toBe(true);
  });
});

describe('no timer is left running after a request has ended', () => {
  const scripts: readonly [string, Script][] = [
    ['an answer', answer(10, 'a')],
    ['an answer without usage or end', [after(10, output('a')), after(10, terminal())]],
    ['a failure', fails('bad_request')],
    ['failures to the last repeat', fails('overload')],
    ['a break in the stream', [after(10, output('a')), after(10, END)]],
    ['a stalled stream', [after(10, output('a'))]],
    ['silence', SILENCE],
    ['an open circuit', fails('protocol', {}, 1)],
  ];

  it.each(scripts)('after %s', async (_what, script) => {
    for (const isStream of [true, false]) {
      const { run, runtime, upstream, engine } = createEngineHarness(['a', 'b']);
      upstream.always('a', script);
      upstream.always('b', script);
      for (let index = 0; index < 3; index++) {
        await run(['a', 'b'], isStream ? { client: new RecordingClient(runtime) } : {});
        expect(runtime.pendingTimers()).toBe(0);
        expect(upstream.openCalls()).toBe(0);
        expect(engine.health().map(({ inFlight }) => inFlight)).toEqual([0, 0]);
      }
    }
  });
});
