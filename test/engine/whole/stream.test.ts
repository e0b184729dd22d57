import { describe, expect, it } from 'vitest';

import { createEngineHarness, failureOf, successOf } from '../../support/engine-harness.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import {
  after,
  answer,
  END,
  fails,
  headers,
  keepAlives,
  output,
  SILENCE,
  startup,
  terminal,
  usage,
} from '../../support/upstream-scripts.ts';

const SLOW = { timing: { firstOutputMs: 120_000, progressMs: 180_000 } };

describe('a streamed answer', () => {
  it('is told as it comes, behind one word of who gives it', async () => {
    const { run, runtime, upstream } = createEngineHarness(['a']);
    upstream.script('a', [
      after(10, headers()),
      after(10, startup('a-2026-11')),
      after(10, output('one ')),
      after(10, output('two')),
      after(10, terminal('length')),
      after(10, usage({ inputTokens: 5, outputTokens: 2 })),
      after(10, END),
    ]);
    const client = new RecordingClient(runtime);
    const result = successOf(await run(['a'], { client }));
    const serving = { number: 1, target: 'a', provider: 'a', model: 'a-2026-11', requestedModel: 'a-model' };
    expect(client.notes).toEqual([
      { atMs: 30, what: 'started', serving },
      { atMs: 30, what: 'output', text: 'one ' },
      { atMs: 40, what: 'output', text: 'two' },
    ]);
    expect(result).toMatchObject({
      serving,
      final: 'length',
      outputs: [],
      usage: { inputTokens: 5, outputTokens: 2 },
      empty: false,
      elapsedMs: 70,
    });
    expect(result.attempts).toMatchObject([
      { number: 1, kind: 'FIRST', phase: 'TAIL', firstOutputMs: 30, durationMs: 70, outputBytes: 7 },
    ]);
  });

  it('that is empty is an answer, and says so', async () => {
    const { run, runtime, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', answer(10));
    const client = new RecordingClient(runtime);
    const result = successOf(await run(['a', 'b'], { client }));
    expect(result.empty).toBe(true);
    expect(client.notes.map(({ what }) => what)).toEqual(['started']);
  });

  it('that broke off carries what is known of its usage', async () => {
    const { run, runtime, upstream } = createEngineHarness(['a']);
    upstream.script('a', [after(10, usage({ inputTokens: 9 })), after(10, output('some')), after(10, END)]);
    const result = await run(['a'], { client: new RecordingClient(runtime) });
    expect(failureOf(result).reason).toBe('STREAM_INTERRUPTED');
    expect(result.ok ? undefined : result.usage).toEqual({ inputTokens: 9 });
    expect(result.attempts[0]).toMatchObject({ outputBytes: 4, phase: 'FLOWING' });
  });

  it('nothing of which could be taken in is a fault of ours, not of the provider', async () => {
    const { run, runtime, upstream, health, alerts } = createEngineHarness(['a', 'b']);
    upstream.script('a', answer(10, 'one', 'two'));
    const client = new RecordingClient(runtime);
    client.onNote = ({ what }) => {
      if (what === 'output') throw new Error('no room');
    };
    expect(failureOf(await run(['a', 'b'], { client })).status).toBe('ABORTED');
    expect(health('a').failures).toBe(0);
    expect(alerts).toMatchObject([{ target: 'a', failure: { class: 'internal' } }]);
    expect(upstream.calls).toEqual(['a']);
  });
});

describe('pings', () => {
  it('come every 15 s while a provider has been asked and says nothing', async () => {
    const { run, runtime, upstream } = createEngineHarness(['a']);
    upstream.script('a', [
      ...keepAlives(5_000, 9),
      after(5_000, output('at last')),
      after(0, terminal()),
      after(0, END),
    ]);
    const client = new RecordingClient(runtime);
    await run(['a'], { ...SLOW, client });
    expect(client.pings).toEqual([15_000, 30_000, 45_000]);
    expect(client.notes.at(-1)).toMatchObject({ what: 'output', atMs: 50_000 });
  });

  it('go on through failovers and waits', async () => {
    const { run, runtime, upstream } = createEngineHarness(['a']);
    upstream.script('a', fails('rate_limit', { retryAfterMs: 25_000 }, 0), answer(1, 'again'));
    const client = new RecordingClient(runtime);
    await run(['a'], { client });
    expect(client.pings).toEqual([15_000]);
  });

  it('are not sent while nothing can have reached a provider', async () => {
    const { run, runtime, upstream } = createEngineHarness(['a'], {
      retry: { maxRepeats: 15, backoffMs: [4_000] },
      circuitBreaker: { failures: 100 },
    });
    upstream.always('a', fails('connect', {}, 0));
    const client = new RecordingClient(runtime);
    const result = await run(['a'], { client });
    expect(result.elapsedMs).toBeGreaterThan(30_000);
    expect(client.notes).toEqual([]);
    const cooled = createEngineHarness(['a'], { retry: { maxRepeats: 0 } });
    cooled.upstream.script('a', fails('rate_limit', { retryAfterMs: 25_000 }, 0), answer(1, 'again'));
    await cooled.run(['a']);
    const patient = new RecordingClient(cooled.runtime);
    expect((await cooled.run(['a'], { client: patient })).ok).toBe(true);
    expect(patient.pings).toEqual([]);
  });

  it('come 15 s after the last event of a stream, not more often', async () => {
    const { run, runtime, upstream } = createEngineHarness(['a']);
    upstream.script('a', [
      after(1_000, output('one')),
      after(14_999, output('two')),
      after(40_000, output('three')),
      after(0, terminal()),
      after(0, END),
    ]);
    const client = new RecordingClient(runtime);
    await run(['a'], { ...SLOW, client });
    expect(client.pings).toEqual([15_999 + 15_000, 15_999 + 30_000]);
  });

  it('are not sent to a caller that does not read', async () => {
    const { run, runtime, upstream } = createEngineHarness(['a']);
    upstream.script('a', [after(10, output('one')), after(10, output('two'))]);
    const client = new RecordingClient(runtime);
    client.takeOnly(1);
    expect(failureOf(await run(['a'], { client }))).toMatchObject({
      status: 'CANCELLED',
      reason: 'SLOW_READER',
      contacted: true,
    });
    expect(client.pings).toEqual([]);
  });
});

describe('a caller that reads slowly', () => {
  it('slows the upstream down, and never costs the provider its name', async () => {
    const { ask, runtime, upstream, health } = createEngineHarness(['a']);
    const words = Array.from({ length: 5 }, (_, index) => after(1, output(`${index} `)));
    upstream.script('a', [after(10, headers()), ...words, after(1, terminal()), after(1, END)]);
    const client = new RecordingClient(runtime);
    client.takeOnly(1);
    const { result } = ask(['a'], { client });
    for (let index = 0; index < 5; index++) {
      await runtime.advance(50_000);
      expect(client.isAwaited).toBe(true);
      client.read(1);
    }
    await runtime.advance(100);
    expect(successOf(await result).final).toBe('stop');
    expect(client.text).toBe('0 1 2 3 4 ');
    expect(upstream.notes.filter(({ what }) => what === 'pause')).toHaveLength(5);
    expect(health('a')).toMatchObject({ failures: 0, successRate: 1 });
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('is given up after a minute', async () => {
    const { run, runtime, upstream, health } = createEngineHarness(['a', 'b']);
    upstream.script('a', [after(10, output('one')), after(10, output('two'))]);
    const client = new RecordingClient(runtime);
    client.takeOnly(1);
    const result = await run(['a', 'b'], { client });
    expect(result.elapsedMs).toBe(60_010);
    expect(upstream.calls).toEqual(['a']);
    expect(upstream.openCalls()).toBe(0);
    expect(health('a')).toMatchObject({ failures: 0, circuit: 'CLOSED', lastError: undefined });
  });

  it('is given up after what is configured', async () => {
    const { run, runtime, upstream } = createEngineHarness(['a'], { clientStallMs: 1_000 });
    upstream.script('a', [after(10, output('one')), ...SILENCE]);
    const client = new RecordingClient(runtime);
    client.takeOnly(1);
    expect((await run(['a'], { client })).elapsedMs).toBe(1_010);
  });
});
