import { describe, expect, it } from 'vitest';

import type { FailureClass } from '../../../src/core/failure.ts';
import { CLASS_RULES } from '../../../src/core/failure.ts';
import type { RetryConfig, RetryOrder } from '../../../src/engine/port/config.ts';
import { DEFAULT_ENGINE_CONFIG } from '../../../src/engine/port/config.ts';
import type { Repeat, RepeatSituation } from '../../../src/engine/policy/retry.ts';
import { decideRepeat } from '../../../src/engine/policy/retry.ts';
import type { Unavailable } from '../../../src/engine/target/target-state.ts';
import { failure } from '../../support/upstream-scripts.ts';

const HALF = (): number => 0.5;

function decide(
  failureClass: FailureClass,
  situation: Partial<RepeatSituation> = {},
  config: Partial<RetryConfig> = {},
): Repeat {
  return decideRepeat(
    {
      failure: failure(failureClass),
      repeatsInVisit: 0,
      staleSocketReplaced: false,
      mayRepeat: true,
      brokeOff: false,
      anotherIsAvailable: true,
      unavailable: undefined,
      sliceMs: 20_000,
      minAttemptMs: 1_000,
      ...situation,
    },
    { ...DEFAULT_ENGINE_CONFIG.retry, jitter: 'NONE', ...config },
    HALF,
  );
}

function cooling(forMs: number): Unavailable | undefined {
  return forMs > 0 ? { reason: 'PROVIDER_RATE_LIMITED', forMs } : undefined;
}

/** A failure with a hint, and the cooldown that it has caused. */
function hint(failureClass: FailureClass, retryAfterMs: number, jitterMs = 0): Partial<RepeatSituation> {
  return { failure: failure(failureClass, { retryAfterMs }), unavailable: cooling(retryAfterMs + jitterMs) };
}

describe('a repeat on the same target, next to another', () => {
  it('waits up to a second after an overload, and 50 ms after a connection that failed', () => {
    expect(decide('overload')).toEqual({ waitMs: 1_000, counts: true });
    expect(decide('conflict')).toEqual({ waitMs: 1_000, counts: true });
    expect(decide('connect')).toEqual({ waitMs: 50, counts: true });
    expect(decide('reset')).toEqual({ waitMs: 50, counts: true });
  });

  it('draws its wait with full jitter', () => {
    expect(decide('overload', {}, { jitter: 'FULL' })?.waitMs).toBe(500);
  });

  it('is not made for classes that a repeat cannot help', () => {
    const classes = Object.keys(CLASS_RULES) as FailureClass[];
    const repeated = classes.filter((name) => decide(name) !== undefined);
    expect(repeated.toSorted()).toEqual(['conflict', 'connect', 'overload', 'reset', 'stale_socket']);
  });

  it('is made once per visit, and only while the request may still repeat', () => {
    expect(decide('overload', { repeatsInVisit: 1 })).toBeUndefined();
    expect(decide('overload', { mayRepeat: false })).toBeUndefined();
  });

  it('must fit into the slice with the least attempt', () => {
    expect(decide('overload', { sliceMs: 2_000 })).toBeDefined();
    expect(decide('overload', { sliceMs: 1_999 })).toBeUndefined();
  });

  it('is not made where the provider says that it is of no use', () => {
    expect(decide('overload', { failure: failure('overload', { repeatIsUseless: true }) })).toBeUndefined();
    const useless = { failure: failure('rate_limit', { repeatIsUseless: true, retryAfterMs: 100 }) };
    expect(decide('rate_limit', useless)).toBeUndefined();
    expect(decide('rate_limit', useless, { order: 'EXHAUST_FIRST' })).toBeUndefined();
  });
});

describe('a target that this failure has put out of use', () => {
  it.each(['CIRCUIT_OPEN', 'PROVIDER_AUTH_FAILED'] as const)('by %s is left at once', (reason) => {
    const unavailable = { reason, forMs: 100 };
    for (const name of ['overload', 'connect', 'stale_socket'] as const) {
      expect(decide(name, { unavailable })).toBeUndefined();
      expect(decide(name, { unavailable }, { order: 'EXHAUST_FIRST' })).toBeUndefined();
    }
  });
});

describe('a stale socket', () => {
  it('is replaced at once and free of charge, once per visit', () => {
    expect(decide('stale_socket')).toEqual({ waitMs: 0, counts: false });
    expect(decide('stale_socket', { mayRepeat: false, repeatsInVisit: 1 })).toEqual({ waitMs: 0, counts: false });
    expect(decide('stale_socket', { staleSocketReplaced: true })).toBeUndefined();
  });
});

describe('Retry-After', () => {
  it('is waited for on the same target up to 2 s, cooldown and its jitter included', () => {
    expect(decide('rate_limit', hint('rate_limit', 2_000, 200))).toEqual({ waitMs: 2_200, counts: true });
    expect(decide('rate_limit', hint('rate_limit', 2_001))).toBeUndefined();
    expect(decide('overload', hint('overload', 1_500))).toEqual({ waitMs: 1_500, counts: true });
    expect(decide('overload', hint('overload', 5_000))).toBeUndefined();
  });

  it('is required for a repeat after a rate limit', () => {
    expect(decide('rate_limit')).toBeUndefined();
    expect(decide('rate_limit', { unavailable: cooling(1_000) })).toBeUndefined();
  });

  it('never shortens the wait', () => {
    expect(decide('overload', hint('overload', 0))).toEqual({ waitMs: 1_000, counts: true });
    expect(decide('rate_limit', hint('rate_limit', 0))).toEqual({ waitMs: 1_000, counts: true });
  });

  it('must fit into the slice with the least attempt', () => {
    expect(decide('rate_limit', { ...hint('rate_limit', 2_000), sliceMs: 3_000 })).toBeDefined();
    expect(decide('rate_limit', { ...hint('rate_limit', 2_000), sliceMs: 2_999 })).toBeUndefined();
  });

  it('of another call that keeps the target busy for longer sends this one on', () => {
    expect(decide('overload', { unavailable: cooling(60_000), sliceMs: 500_000 })).toBeUndefined();
    const busy = { ...hint('rate_limit', 500), unavailable: cooling(60_000), sliceMs: 500_000 };
    expect(decide('rate_limit', busy)).toBeUndefined();
  });
});

describe('the order of repeats', () => {
  it.each<RetryOrder>(['SAME_THEN_NEXT', 'NEXT_FIRST'])(
    '%s leaves the repeats on a lone target to the rounds',
    (order) => {
      expect(decide('overload', { anotherIsAvailable: false }, { order })).toBeUndefined();
      const short = { ...hint('rate_limit', 1_000), anotherIsAvailable: false };
      expect(decide('rate_limit', short, { order })).toEqual({ waitMs: 1_000, counts: true });
    },
  );

  it('NEXT_FIRST repeats nothing while another target is available', () => {
    for (const name of ['overload', 'connect', 'stale_socket'] as const) {
      expect(decide(name, {}, { order: 'NEXT_FIRST' })).toBeUndefined();
    }
    expect(decide('rate_limit', hint('rate_limit', 500), { order: 'NEXT_FIRST' })).toBeUndefined();
    expect(decide('stale_socket', { anotherIsAvailable: false }, { order: 'NEXT_FIRST' })).toBeDefined();
  });

  it('EXHAUST_FIRST waits the whole list on one target, whatever else is there', () => {
    const exhaust: Partial<RetryConfig> = { order: 'EXHAUST_FIRST', jitter: 'FULL' };
    const waits = [0, 1, 2, 3, 4].map((repeatsInVisit) =>
      decide('overload', { repeatsInVisit, mayRepeat: false }, exhaust),
    );
    expect(waits.map((repeat) => repeat?.waitMs)).toEqual([1_000, 2_000, 4_000, 8_000, undefined]);
    expect(decide('silence', {}, exhaust)).toBeDefined();
    expect(decide('auth', {}, exhaust)).toBeUndefined();
    expect(decide('bad_request', {}, exhaust)).toBeUndefined();
    expect(decide('rate_limit', hint('rate_limit', 3_000), exhaust)?.waitMs).toBe(3_000);
  });
});
