import { describe, expect, it } from 'vitest';

import type { FailureClass, StatusName, Verdict } from '../../../src/core/failure.ts';
import { createEngineHarness, entryOf, failureOf, trailOf } from '../../support/engine-harness.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { answer, breaksAfter, failure, fails } from '../../support/upstream-scripts.ts';

/** A row of the class table of the engine's rules. */
interface Row {
  /** Calls on the first target before the second is asked, where a repeat would succeed. */
  readonly same: 'repeated' | 'left';
  readonly next: 'asked' | 'not asked';
  readonly verdict: Verdict;
  /** Calls on a lone target that always fails so: with the rounds, or without. */
  readonly alone: number;
  readonly final: StatusName;
  readonly alert?: true;
  readonly suspended?: string;
  readonly cools?: true;
}

const TABLE = {
  connect: { same: 'repeated', next: 'asked', verdict: 'failure', alone: 5, final: 'UNAVAILABLE' },
  tls: { same: 'left', next: 'asked', verdict: 'failure', alone: 1, final: 'UNAVAILABLE', alert: true },
  // Each of five visits replaces its connection once, outside the count.
  stale_socket: { same: 'repeated', next: 'asked', verdict: 'neutral', alone: 10, final: 'UNAVAILABLE' },
  reset: { same: 'repeated', next: 'asked', verdict: 'failure', alone: 5, final: 'UNAVAILABLE' },
  silence: { same: 'left', next: 'asked', verdict: 'failure', alone: 5, final: 'UNAVAILABLE' },
  cut_short: { same: 'left', next: 'asked', verdict: 'neutral', alone: 5, final: 'DEADLINE_EXCEEDED' },
  overload: { same: 'repeated', next: 'asked', verdict: 'failure', alone: 5, final: 'UNAVAILABLE' },
  rate_limit: { same: 'left', next: 'asked', verdict: 'neutral', alone: 5, final: 'RESOURCE_EXHAUSTED', cools: true },
  quota: {
    same: 'left',
    next: 'asked',
    verdict: 'neutral',
    alone: 1,
    final: 'RESOURCE_EXHAUSTED',
    alert: true,
    suspended: 'quota',
  },
  auth: {
    same: 'left',
    next: 'asked',
    verdict: 'neutral',
    alone: 1,
    final: 'INTERNAL',
    alert: true,
    suspended: 'auth',
  },
  not_found: {
    same: 'left',
    next: 'asked',
    verdict: 'neutral',
    alone: 1,
    final: 'INTERNAL',
    alert: true,
    suspended: 'not_found',
  },
  bad_request: { same: 'left', next: 'not asked', verdict: 'neutral', alone: 1, final: 'INVALID_ARGUMENT' },
  capability: { same: 'left', next: 'asked', verdict: 'neutral', alone: 1, final: 'INVALID_ARGUMENT' },
  content: { same: 'left', next: 'not asked', verdict: 'neutral', alone: 1, final: 'INVALID_ARGUMENT' },
  protocol: { same: 'left', next: 'asked', verdict: 'failure', alone: 2, final: 'INTERNAL' },
  conflict: { same: 'repeated', next: 'asked', verdict: 'neutral', alone: 5, final: 'UNAVAILABLE' },
  interrupted: { same: 'left', next: 'not asked', verdict: 'failure', alone: 1, final: 'ABORTED' },
  budget: { same: 'left', next: 'not asked', verdict: 'neutral', alone: 1, final: 'RESOURCE_EXHAUSTED' },
  client_cancel: { same: 'left', next: 'not asked', verdict: 'neutral', alone: 1, final: 'CANCELLED' },
  slow_reader: { same: 'left', next: 'not asked', verdict: 'neutral', alone: 1, final: 'CANCELLED' },
  local_refusal: { same: 'left', next: 'asked', verdict: 'neutral', alone: 1, final: 'UNAVAILABLE' },
  internal: { same: 'left', next: 'asked', verdict: 'neutral', alone: 1, final: 'INTERNAL', alert: true },
  mismatch: { same: 'left', next: 'asked', verdict: 'neutral', alone: 1, final: 'ABORTED' },
} as const satisfies Record<FailureClass, Row>;

const ROWS = Object.entries(TABLE) as [FailureClass, Row][];

describe.each(ROWS)('a failure of class %s', (name, row) => {
  it(`is ${row.same} on the same target where that would help`, async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.script('a', fails(name), answer(10, 'from a'));
    upstream.script('b', answer(10, 'from b'));
    await run(['a', 'b']);
    expect(upstream.openedAt('a')).toHaveLength(row.same === 'repeated' ? 2 : 1);
  });

  it(`has the next target ${row.next}`, async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.always('a', fails(name));
    upstream.always('b', answer(10, 'from b'));
    const result = await run(['a', 'b']);
    expect(result.ok).toBe(row.next === 'asked');
    expect(upstream.calls.includes('b')).toBe(row.next === 'asked');
  });

  it(`is ${row.verdict} for the health of the target`, async () => {
    const { run, upstream, health } = createEngineHarness(['a', 'b']);
    upstream.script('a', fails(name));
    upstream.always('a', answer(10, 'from a'));
    upstream.always('b', answer(10, 'from b'));
    await run(['a', 'b']);
    expect(health('a').failures).toBe(row.verdict === 'failure' ? 1 : 0);
  });

  it(`moves the breaker of its target: ${row.verdict === 'failure'}`, async () => {
    const { run, upstream, health, runtime } = createEngineHarness(['a'], { retry: { maxRepeats: 0 } });
    // A stale socket counts when its replacement is stale as well.
    for (let index = 0; index < 5; index++)
      upstream.script('a', fails(name), ...(name === 'stale_socket' ? [answer(1)] : []));
    for (let index = 0; index < 5; index++) {
      await run(['a']);
      await runtime.advance(name === 'rate_limit' ? 2_000 : 0);
    }
    expect(health('a').circuit).toBe(row.verdict === 'failure' ? 'OPEN' : 'CLOSED');
  });

  it(`ends a lone target after ${row.alone} calls with ${row.final}`, async () => {
    const { run, upstream, runtime } = createEngineHarness(['a']);
    upstream.always('a', fails(name));
    const result = await run(['a']);
    expect(upstream.calls).toHaveLength(row.alone);
    expect(failureOf(result).status).toBe(row.final);
    expect(upstream.openCalls()).toBe(0);
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('alerts an operator, suspends and holds calls back only as its row says', async () => {
    const { run, upstream, health, alerts } = createEngineHarness(['a', 'b'], { retry: { maxRepeats: 0 } });
    upstream.script('a', fails(name));
    upstream.always('a', answer(10, 'from a'));
    upstream.always('b', answer(10, 'from b'));
    await run(['a', 'b']);
    expect(alerts.map(({ target, failure: told }) => `${target} ${told.class}`)).toEqual(
      row.alert ? [`a ${name}`] : [],
    );
    expect(health('a').suspendedReason).toBe(row.suspended);
    expect(health('a').available).toBe(row.suspended === undefined);
    expect(health('a').rateLimitedForMs !== undefined).toBe(row.cools === true);
  });
});

describe('a stale socket', () => {
  it('is replaced at once and without a wait, and counts as a failure when its replacement is stale as well', async () => {
    const { run, upstream, health } = createEngineHarness(['a', 'b']);
    upstream.always('a', fails('stale_socket'));
    upstream.always('b', answer(10, 'from b'));
    expect(trailOf(await run(['a', 'b']))).toEqual(['FIRST a stale_socket', 'RETRY a stale_socket', 'FAILOVER b ok']);
    expect(upstream.openedAt('a')).toEqual([0, 10]);
    expect(health('a').failures).toBe(1);
  });
});

describe('what hardly ever heals', () => {
  it.each(['SAME_THEN_NEXT', 'NEXT_FIRST', 'EXHAUST_FIRST'] as const)(
    'is bought twice by a request at most, whatever its order: %s',
    async (order) => {
      const { run, upstream } = createEngineHarness(['a'], { retry: { order } });
      upstream.always('a', fails('protocol'));
      const result = await run(['a']);
      expect(trailOf(result)).toEqual(['FIRST a protocol', 'RETRY a protocol']);
      expect(failureOf(result)).toMatchObject({ status: 'INTERNAL', contacted: true });
      // Nobody is kept waiting for a repeat that is not made.
      expect(result.elapsedMs).toBe(1_020);
    },
  );

  it('is bought once more in all, not once more from each target', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b', 'c']);
    for (const target of ['a', 'b', 'c']) upstream.always(target, fails('protocol'));
    await run(['a', 'b', 'c']);
    expect(upstream.calls).toEqual(['a', 'b', 'c', 'a']);
  });

  it('leaves the repeats of other failures alone', async () => {
    const { run, upstream } = createEngineHarness(['a']);
    upstream.script('a', fails('protocol'), fails('overload'), fails('overload'), answer(10, 'better'));
    expect(trailOf(await run(['a'])).at(-1)).toBe('RETRY a ok');
  });

  it('is bought twice at most by a stream that begins anew, too', async () => {
    const { run, runtime, upstream } = createEngineHarness(['a']);
    upstream.always('a', breaksAfter(['half ', 'an ans'], 'protocol'));
    const result = await run(['a'], { client: new RecordingClient(runtime), recovery: 'RESTART' });
    expect(failureOf(result)).toMatchObject({ status: 'ABORTED', reason: 'STREAM_INTERRUPTED' });
    expect(upstream.calls).toEqual(['a', 'a']);
  });
});

describe('a process without descriptors', () => {
  const full = fails('local_refusal', { reason: 'OVERLOADED', providerCode: 'EMFILE', neverSent: true });

  it('is overload, not a fault, and alerts an operator', async () => {
    const { run, upstream, health, alerts } = createEngineHarness(['a', 'b']);
    for (const target of ['a', 'b']) upstream.always(target, full);
    const told = failureOf(await run(['a', 'b']));
    expect(told).toMatchObject({ status: 'UNAVAILABLE', reason: 'OVERLOADED', retryAfterMs: 1_000, contacted: false });
    expect(upstream.calls).toEqual(['a', 'b']);
    expect(alerts.map(({ target }) => target)).toEqual(['a', 'b']);
    expect(health('a')).toMatchObject({ failures: 0, available: true });
  });

  it('leaves the request to a target that has a connection already', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.always('a', full);
    upstream.always('b', answer(10, 'from b'));
    expect(trailOf(await run(['a', 'b']))).toEqual(['FIRST a local_refusal', 'FAILOVER b ok']);
  });
});

describe('a missing model', () => {
  it('that the caller named suspends nothing, alerts nobody, and is the caller’s mistake', async () => {
    const { run, upstream, health, alerts } = createEngineHarness(['a']);
    upstream.always('a', fails('not_found'));
    const entry = { target: 'a', provider: 'a', model: 'odd', circuit: 'other', modelNamedByCaller: true };
    const result = await run([entry]);
    expect(failureOf(result).status).toBe('NOT_FOUND');
    expect(result.attempts[0]?.failure?.reason).toBe('MODEL_NOT_FOUND');
    expect(health('a')).toMatchObject({ available: true, suspendedReason: undefined });
    expect(alerts).toEqual([]);
    upstream.always('a', answer(10, 'there after all'));
    expect(trailOf(await run([entry]))).toEqual(['FIRST a ok']);
  });
});

describe('a request that is too large', () => {
  const entry = (target: string, model: string, contextWindow?: number) => ({
    target,
    provider: target,
    model,
    circuit: model,
    modelNamedByCaller: false,
    contextWindow,
  });

  it('goes only to targets that declare more, or nothing', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b', 'c', 'd']);
    for (const target of ['a', 'b', 'c']) upstream.always(target, fails('capability'));
    upstream.always('d', answer(10, 'fits'));
    const result = await run([
      entry('a', 'small', 8_000),
      entry('b', 'same', 8_000),
      entry('c', 'unknown'),
      entry('d', 'large', 200_000),
    ]);
    expect(upstream.calls).toEqual(['a', 'c', 'd']);
    expect(trailOf(result)).toEqual([
      'FIRST a capability',
      'SKIPPED b capability',
      'FAILOVER c capability',
      'FAILOVER d ok',
    ]);
  });

  it('is not sent to the same model elsewhere, whatever it cannot take', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b', 'c']);
    upstream.always('a', [
      {
        afterMs: 1,
        event: {
          type: 'error',
          failure: failure('capability', { reason: 'UNSUPPORTED_PARAMETER', field: 'options.seed', httpStatus: 400 }),
        },
      },
    ]);
    const result = await run([entry('a', 'same'), entry('b', 'same')]);
    expect(upstream.calls).toEqual(['a']);
    expect(failureOf(result)).toMatchObject({
      status: 'INVALID_ARGUMENT',
      reason: 'UNSUPPORTED_PARAMETER',
      field: 'options.seed',
    });
    expect(result.attempts[1]).toMatchObject({ kind: 'SKIPPED' });
    expect(result.attempts[1]?.httpStatus).toBeUndefined();
    expect(result.attempts[1]?.failure?.httpStatus).toBeUndefined();
  });
});

describe('what the model of another server cannot take', () => {
  it('is sent to the same model at the next server, which may have another window', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b'], { foreign: ['a', 'b'] });
    upstream.always('a', fails('capability'));
    upstream.always('b', answer(10, 'fits'));
    const chain = ['a', 'b'].map((target) => entryOf(target, { model: 'llama' }));
    expect(trailOf(await run(chain))).toEqual(['FIRST a capability', 'FAILOVER b ok']);
  });
});

describe('a fault of ours', () => {
  it('is passed on to one other target, not to all', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b', 'c']);
    upstream.always('a', fails('internal'));
    upstream.always('b', fails('internal'));
    upstream.always('c', answer(10, 'never'));
    expect(failureOf(await run(['a', 'b', 'c']))).toMatchObject({ status: 'INTERNAL', reason: 'INTERNAL' });
    expect(upstream.calls).toEqual(['a', 'b']);
  });
});
