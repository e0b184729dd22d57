import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { FailureClass } from '../../../src/core/failure.ts';
import type { AttemptRecord } from '../../../src/engine/port/call.ts';
import { createEngineHarness, trailOf } from '../../support/engine-harness.ts';
import { answer, fails } from '../../support/upstream-scripts.ts';

/** Nothing but the budget holds calls back. */
const NO_BREAKER = { circuitBreaker: { failures: 100_000 } };

describe('the budget of repeats on a target', () => {
  it('lets ten requests repeat at once, and the others fail over without a wait', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b'], { ...NO_BREAKER, retry: { backoffMs: [0] } });
    upstream.always('a', fails('overload', {}, 0));
    upstream.always('b', answer(0, 'there'));
    const trails: string[][] = [];
    for (let index = 0; index < 20; index++) trails.push(trailOf(await run(['a', 'b'])));
    const repeated = ['FIRST a overload', 'RETRY a overload', 'FAILOVER b ok'];
    const passedOn = ['FIRST a overload', 'FAILOVER b ok'];
    // Each request earns a fifth of a repeat, but the first one finds the budget full: 10 + 19 / 5.
    expect(trails.slice(0, 12).every((trail) => trail.join() === repeated.join())).toBe(true);
    expect(trails.filter((trail) => trail.join() === repeated.join())).toHaveLength(13);
    expect(trails.filter((trail) => trail.join() === passedOn.join())).toHaveLength(7);
  });

  it('comes back with time: one repeat every two seconds', async () => {
    const { run, runtime, upstream } = createEngineHarness(['a', 'b'], { ...NO_BREAKER, retry: { backoffMs: [0] } });
    upstream.always('a', fails('overload', {}, 0));
    upstream.always('b', answer(0, 'there'));
    for (let index = 0; index < 50; index++) await run(['a', 'b']);
    await runtime.advance(4_000);
    const repeats = async (): Promise<boolean> => (await run(['a', 'b'])).attempts.length === 3;
    expect([await repeats(), await repeats()]).toEqual([true, true]);
  });

  it('bounds later rounds as well: a lone sick target is given up at once', async () => {
    const { run, upstream } = createEngineHarness(['a'], NO_BREAKER);
    upstream.always('a', fails('reset', {}, 0));
    const calls: number[] = [];
    for (let index = 0; index < 8; index++) {
      const { attempts } = await run(['a'], { timeoutMs: 2_000 });
      calls.push(attempts.length);
    }
    expect(calls[0]).toBe(5);
    expect(calls.at(-1)).toBeLessThan(3);
  });

  it('does not count replacements of stale sockets', async () => {
    const { run, upstream } = createEngineHarness(['a']);
    for (let index = 0; index < 40; index++) {
      upstream.script('a', fails('stale_socket', {}, 0), answer(0, 'there'));
      expect(trailOf(await run(['a']))).toEqual(['FIRST a stale_socket', 'RETRY a ok']);
    }
  });

  it('does not exist for EXHAUST_FIRST', async () => {
    const { run, upstream } = createEngineHarness(['a'], { ...NO_BREAKER, retry: { order: 'EXHAUST_FIRST' } });
    upstream.always('a', fails('overload', {}, 0));
    for (let index = 0; index < 6; index++) expect((await run(['a'])).attempts).toHaveLength(5);
  });
});

interface Sent {
  readonly atMs: number;
  readonly isRepeat: boolean;
}

/** Asserts for every interval: repeats are at most 10 + 0.2 for each first visit + 0.5 for each second. */
function checkBound(sent: readonly Sent[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (const [first, { atMs: fromMs, isRepeat }] of sent.entries()) {
    if (!isRepeat) continue;
    let allowed = 10;
    for (const { atMs, isRepeat: repeats } of sent.slice(first)) {
      allowed += repeats ? -1 : 0.2;
      least = Math.min(least, allowed + (atMs - fromMs) * 0.0005);
    }
  }
  expect(least).toBeGreaterThanOrEqual(-1e-6);
  return least;
}

describe('whatever is asked of sick targets', () => {
  it('repeats stay within their budget in every interval', async () => {
    let tightest = Number.POSITIVE_INFINITY;
    const sick = fc.constantFrom<FailureClass>('overload', 'reset', 'connect', 'silence', 'stale_socket', 'conflict');
    const crowd = fc.array(fc.record({ afterMs: fc.nat(20_000), first: fc.constantFrom('a', 'b') }), {
      minLength: 20,
      maxLength: 60,
      size: 'max',
    });
    await fc.assert(
      fc.asyncProperty(sick, sick, crowd, async (ofA, ofB, requests) => {
        const { ask, runtime, upstream } = createEngineHarness(['a', 'b'], {
          ...NO_BREAKER,
          retry: { jitter: 'FULL' },
        });
        upstream.always('a', fails(ofA, {}, 5));
        upstream.always('b', fails(ofB, {}, 5));
        const sent = new Map<string, Sent[]>([
          ['a', []],
          ['b', []],
        ]);
        for (const { afterMs, first } of requests) {
          runtime.setTimer(afterMs, () => {
            const startedAtMs = runtime.now();
            const chain = first === 'a' ? ['a', 'b'] : ['b', 'a'];
            void ask(chain, { timeoutMs: 30_000 }).result.then(({ attempts }) => note(sent, attempts, startedAtMs));
          });
        }
        await runtime.runUntilIdle();
        for (const list of sent.values()) {
          tightest = Math.min(tightest, checkBound(list.toSorted((left, right) => left.atMs - right.atMs)));
        }
      }),
      { numRuns: 60, seed: 9 },
    );
    expect(tightest).toBeLessThan(0.5);
  });
});

/** Writes down which attempts of a request were repeats; what replaces a stale socket is neither that nor a visit. */
function note(sent: ReadonlyMap<string, Sent[]>, attempts: readonly AttemptRecord[], startedAtMs: number): void {
  const visited = new Set<string>();
  let before: AttemptRecord | undefined;
  for (const attempt of attempts) {
    const { target } = attempt.entry;
    const isReplacement =
      before?.entry === attempt.entry && before.failure?.class === 'stale_socket' && attempt.waitBeforeMs === 0;
    if (!isReplacement && attempt.kind !== 'SKIPPED') {
      sent.get(target)?.push({ atMs: startedAtMs + attempt.startedAfterMs, isRepeat: visited.has(target) });
      visited.add(target);
    }
    before = attempt;
  }
}
