import { describe, expect, it } from 'vitest';

import { createEngineHarness, failureOf } from '../../support/engine-harness.ts';
import { answer, fails } from '../../support/upstream-scripts.ts';
import { withOpenCircuit } from '../target/open-circuit.ts';

const MANY = Array.from({ length: 40 }, (_, index) => `t${index}`);

describe('a trail', () => {
  it('keeps 32 entries, every attempt beyond that, and counts the skips that it has no room for', async () => {
    const { engine, run, upstream } = createEngineHarness(MANY);
    for (const name of MANY.slice(0, -1)) engine.force(name, 'OPEN');
    upstream.always('t39', answer(10, 'at last'));
    const result = await run(MANY);
    expect(result.ok).toBe(true);
    expect(result.skipsLeftOut).toBe(7);
    expect(result.attempts).toHaveLength(33);
    expect(result.attempts.at(-1)).toMatchObject({ number: 33, kind: 'FIRST', entry: { target: 't39' } });
  });

  it('counts them too where nobody answers', async () => {
    const { engine, run } = createEngineHarness(MANY);
    for (const name of MANY) engine.force(name, 'OPEN');
    const result = await run(MANY);
    expect(failureOf(result).reason).toBe('CIRCUIT_OPEN');
    expect([result.attempts.length, result.skipsLeftOut]).toEqual([32, 8]);
  });

  it('comes with the time that was waited behind it in vain', async () => {
    const { ask, runtime, upstream } = createEngineHarness(['a'], { retry: { jitter: 'NONE' } });
    upstream.always('a', fails('overload'));
    const { result, cancel } = ask(['a']);
    await runtime.advance(300);
    cancel();
    const { attempts, ...ended } = await result;
    const last = attempts.at(-1);
    const endedAfterMs = (last?.startedAfterMs ?? 0) + (last?.durationMs ?? 0);
    expect(ended).toMatchObject({ ok: false, elapsedMs: 300, waitAfterMs: 300 - endedAfterMs });
  });

  it('leaves nothing out that fits', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', fails('auth'));
    upstream.always('b', answer(10, 'hello'));
    expect((await run(['a', 'b'])).skipsLeftOut).toBe(0);
  });

  it('says where an attempt ended, how much time it had, and what it found its circuit to be', async () => {
    const { run, runtime, upstream, engine } = await withOpenCircuit(['a']);
    upstream.always('a', answer(10, 'hello'));
    await runtime.advance(30_000);
    const probe = await run(['a'], { timeoutMs: 10_000 });
    expect(probe.attempts).toMatchObject([
      { kind: 'PROBE', phase: 'TAIL', sliceMs: 9_850, circuit: { state: 'HALF_OPEN', generation: 2 } },
    ]);
    expect((await run(['a'])).attempts).toMatchObject([{ circuit: { state: 'CLOSED', generation: 3 } }]);
    engine.force('a', 'CLOSED');
    expect((await run(['a'])).attempts).toMatchObject([{ circuit: undefined }]);
  });
});
