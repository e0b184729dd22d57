import { describe, expect, it } from 'vitest';

import { failureOf, trailOf } from '../../support/engine-harness.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { after, answer, END, fails, headers, output, SILENCE, terminal } from '../../support/upstream-scripts.ts';
import { withOpenCircuit } from '../target/open-circuit.ts';

describe('a probe', () => {
  it('that fails opens the circuit for another 30 s', async () => {
    const { run, runtime, upstream, health } = await withOpenCircuit();
    await runtime.advance(30_000);
    upstream.script('a', fails('overload', {}, 0));
    upstream.always('b', answer(10, 'from b'));
    expect(trailOf(await run(['a', 'b']))).toEqual(['PROBE a overload', 'FAILOVER b ok']);
    expect(health('a').circuits[0]).toMatchObject({ state: 'OPEN', reopensInMs: 29_990 });
  });

  it('that fails sends its request on without a wait', async () => {
    const { run, runtime, upstream } = await withOpenCircuit();
    upstream.always('a', fails('overload', {}, 0));
    upstream.always('b', answer(10, 'from b'));
    await runtime.advance(30_000);
    expect((await run(['a', 'b'])).elapsedMs).toBe(10);
  });

  it('breaker-probe-cancel-neutral: that is cancelled decides nothing, and the next call is the probe', async () => {
    const { ask, run, runtime, upstream, health } = await withOpenCircuit();
    await runtime.advance(30_000);
    upstream.script('a', SILENCE);
    const { cancel, result } = ask(['a']);
    await runtime.advance(100);
    cancel();
    await result;
    expect(health('a')).toMatchObject({ circuit: 'HALF_OPEN', failures: 5 });
    expect(health('a').circuits[0]?.reopensInMs).toBeUndefined();
    upstream.script('a', answer(10, 'well again'));
    expect(trailOf(await run(['a']))).toEqual(['PROBE a ok']);
    expect(health('a').circuit).toBe('CLOSED');
  });

  it('that is rate limited decides nothing, and is not followed by another before its time', async () => {
    const { run, runtime, upstream, health } = await withOpenCircuit();
    await runtime.advance(30_000);
    upstream.script('a', fails('rate_limit', { retryAfterMs: 10_000 }));
    upstream.always('b', answer(10, 'from b'));
    await run(['a', 'b']);
    expect(health('a')).toMatchObject({ circuit: 'HALF_OPEN' });
    expect(trailOf(await run(['a', 'b']))).toEqual(['SKIPPED a local_refusal', 'FIRST b ok']);
    await runtime.advance(11_000);
    upstream.script('a', answer(10, 'well again'));
    expect(trailOf(await run(['a', 'b']))).toEqual(['PROBE a ok']);
  });

  it('probe-never-stuck: that goes on without ever being steady is lost when all its timers would have fired', async () => {
    const { ask, run, runtime, upstream, health } = await withOpenCircuit(['a']);
    await runtime.advance(30_000);
    upstream.script('a', [after(10, headers()), ...Array.from({ length: 50 }, () => after(1_000, output('x')))]);
    const client = new RecordingClient(runtime);
    client.takeOnly(1);
    const timing = { firstOutputMs: 12_000, firstOutputAdapts: false, progressMs: 30_000 };
    const held = ask(['a'], { client, timing });
    for (let index = 0; index < 3; index++) {
      await runtime.advance(37_000);
      client.read(1);
    }
    await runtime.advance(12_000 + 30_000 + 60_000 + 10_000 - 3 * 37_000 - 1);
    expect(failureOf(await run(['a'])).reason).toBe('CIRCUIT_OPEN');
    await runtime.advance(1);
    upstream.script('a', answer(10, 'well again'));
    expect(trailOf(await run(['a']))).toEqual(['PROBE a ok']);
    expect(held.settled()).toBeUndefined();
    held.cancel();
    await held.result;
    expect(health('a')).toMatchObject({ circuit: 'CLOSED', inFlight: 0 });
  });
});

describe('two probes of a circuit with two places', () => {
  it('are let through at a time and close the circuit together, one with its answer, one with five seconds of it', async () => {
    const { ask, run, runtime, upstream, health } = await withOpenCircuit(['a'], { probes: 2 });
    await runtime.advance(30_000);
    upstream.script('a', [after(10, headers()), ...Array.from({ length: 8 }, () => after(1_000, output('x')))]);
    upstream.script('a', answer(300, 'well again'));
    const steady = ask(['a'], { client: new RecordingClient(runtime) });
    const whole = ask(['a']);
    await runtime.settle();
    expect(health('a')).toMatchObject({ circuit: 'HALF_OPEN', inFlight: 2 });
    expect(failureOf(await run(['a']))).toMatchObject({ reason: 'CIRCUIT_OPEN', retryAfterMs: 1_000 });
    await runtime.advance(300);
    expect(trailOf(await whole.result)).toEqual(['PROBE a ok']);
    expect(health('a').circuit).toBe('HALF_OPEN');
    expect(failureOf(await run(['a'])).reason).toBe('CIRCUIT_OPEN');
    await runtime.advance(5_700);
    expect(health('a').circuit).toBe('HALF_OPEN');
    await runtime.advance(10);
    expect(health('a').circuit).toBe('CLOSED');
    steady.cancel();
    await steady.result;
    expect(health('a')).toMatchObject({ circuit: 'CLOSED', failures: 5 });
  });

  it('open it again as soon as one of them fails', async () => {
    const { ask, runtime, upstream, health } = await withOpenCircuit(['a'], { probes: 2 });
    await runtime.advance(30_000);
    upstream.script('a', answer(300, 'too late'), fails('overload', {}, 100));
    const probes = [ask(['a']), ask(['a'])];
    await runtime.advance(100);
    expect(health('a').circuits[0]).toMatchObject({ state: 'OPEN', reopensInMs: 30_000 });
    await runtime.advance(200);
    expect((await Promise.all(probes.map(({ result }) => result))).map(({ ok }) => ok)).toEqual([true, false]);
    expect(health('a').circuit).toBe('OPEN');
  });
});

describe('a stream that is a probe', () => {
  const slow = [after(100, headers()), ...Array.from({ length: 20 }, () => after(1_000, output('word ')))];

  it('closes the circuit five seconds after its first words, and may still fail', async () => {
    const { ask, run, runtime, upstream, health } = await withOpenCircuit(['a']);
    await runtime.advance(30_000);
    upstream.script('a', [...slow, after(0, END)]);
    const { result } = ask(['a'], { client: new RecordingClient(runtime) });
    await runtime.advance(6_099);
    expect(health('a').circuit).toBe('HALF_OPEN');
    await runtime.advance(1);
    expect(health('a').circuit).toBe('CLOSED');
    await runtime.advance(20_000);
    expect(failureOf(await result).reason).toBe('STREAM_INTERRUPTED');
    expect(health('a')).toMatchObject({ circuit: 'CLOSED', failures: 6 });
    upstream.always('a', fails('overload', {}, 0));
    for (let index = 0; index < 3; index++) await run(['a']);
    expect(health('a').circuit).toBe('CLOSED');
    await run(['a']);
    expect(health('a').circuit).toBe('OPEN');
  });

  it('is not credited with the time in which its caller does not read', async () => {
    const { ask, runtime, upstream, health } = await withOpenCircuit(['a']);
    await runtime.advance(30_000);
    upstream.script('a', [...slow, after(0, terminal()), after(0, END)]);
    const client = new RecordingClient(runtime);
    client.takeOnly(3);
    const { result } = ask(['a'], { client });
    // Two seconds of words, then a caller that sleeps for twenty.
    await runtime.advance(1_100 + 2_000 + 20_000);
    expect(health('a').circuit).toBe('HALF_OPEN');
    client.read();
    await runtime.advance(2_999);
    expect(health('a').circuit).toBe('HALF_OPEN');
    await runtime.advance(1);
    expect(health('a').circuit).toBe('CLOSED');
    await runtime.advance(60_000);
    expect((await result).ok).toBe(true);
  });

  it('leaves no timer behind when it ends before its five seconds', async () => {
    const { run, runtime, upstream, health } = await withOpenCircuit(['a']);
    await runtime.advance(30_000);
    upstream.script('a', [after(10, output('a')), after(10, END)]);
    await run(['a'], { client: new RecordingClient(runtime) });
    expect(runtime.pendingTimers()).toBe(0);
    expect(health('a').circuit).toBe('OPEN');
  });
});
