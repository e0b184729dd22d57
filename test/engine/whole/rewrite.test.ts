import { describe, expect, it } from 'vitest';

import { createEngineHarness, entryOf, failureOf, successOf, trailOf } from '../../support/engine-harness.ts';
import { answer, fails } from '../../support/upstream-scripts.ts';

/** Refuses the first `forms` ways in which a request is written. */
function stage(forms: number, targets: readonly string[] = ['a', 'b']) {
  const harness = createEngineHarness(targets);
  let known = 0;
  const prepared: string[] = [];
  const request = () =>
    harness.run(targets, {
      prepare: (entry) => {
        prepared.push(entry.target);
        const written = known;
        return {
          ...harness.upstream.prepare(entry),
          learns: ({ quirk }) => {
            if (quirk === undefined || written >= forms) return false;
            known = written + 1;
            return true;
          },
        };
      },
    });
  return { ...harness, request, prepared };
}

const REFUSED = fails('capability', { quirk: 'no store', reason: 'UNSUPPORTED_PARAMETER', httpStatus: 400 });

describe('a request of which the provider refuses what the gateway wrote on its own', () => {
  it('is prepared anew and sent to the same target at once, free of charge', async () => {
    const { request, upstream, runtime, health } = stage(1);
    upstream.script('a', REFUSED, answer(10, 'good'));
    const startedAtMs = runtime.now();
    const result = successOf(await request());
    expect(trailOf(result)).toEqual(['FIRST a capability', 'RETRY a ok']);
    expect(result.attempts[1]?.waitBeforeMs).toBe(0);
    expect(runtime.now() - startedAtMs).toBeLessThan(100);
    expect(health('a')).toMatchObject({ circuit: 'CLOSED', failures: 0 });
  });

  it('goes on as any other where it fails otherwise then', async () => {
    const { request, upstream } = stage(1);
    upstream.script('a', REFUSED, fails('auth'));
    upstream.script('b', answer(10, 'good'));
    expect(trailOf(successOf(await request()))).toEqual(['FIRST a capability', 'RETRY a auth', 'FAILOVER b ok']);
  });

  it('is sent to the next target where nothing can be written otherwise', async () => {
    const { request, upstream, prepared } = stage(0);
    upstream.script('a', REFUSED);
    upstream.script('b', answer(10, 'good'));
    expect(trailOf(successOf(await request()))).toEqual(['FIRST a capability', 'FAILOVER b ok']);
    expect(prepared).toEqual(['a', 'b']);
  });

  it('is sent to the next target also where that has the same model', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', REFUSED);
    upstream.script('b', answer(10, 'good'));
    const chain = ['a', 'b'].map((target) => entryOf(target, { model: 'shared' }));
    expect(trailOf(successOf(await run(chain)))).toEqual(['FIRST a capability', 'FAILOVER b ok']);
  });

  it('is written in five forms at most', async () => {
    const { request, upstream } = stage(100, ['a']);
    upstream.always('a', REFUSED);
    expect(failureOf(await request())).toMatchObject({ status: 'INVALID_ARGUMENT', reason: 'UNSUPPORTED_PARAMETER' });
    expect(upstream.calls).toHaveLength(5);
  });

  it('takes nothing from the budget of repeats', async () => {
    const { request, upstream } = stage(100, ['a']);
    upstream.always('a', REFUSED);
    for (let index = 0; index < 10; index += 1) await request();
    expect(upstream.calls).toHaveLength(50);
  });
});
