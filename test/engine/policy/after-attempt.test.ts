import { describe, expect, it } from 'vitest';

import type { FailureClass } from '../../../src/core/failure.ts';
import { CLASS_RULES } from '../../../src/core/failure.ts';
import type { RetryConfig, RetryOrder } from '../../../src/engine/port/config.ts';
import { DEFAULT_ENGINE_CONFIG } from '../../../src/engine/port/config.ts';
import type { FailedAttempt } from '../../../src/engine/policy/after-attempt.ts';
import { decideAfterAttempt } from '../../../src/engine/policy/after-attempt.ts';
import type { Decision } from '../../../src/engine/policy/decision.ts';
import type { Unavailable } from '../../../src/engine/target/availability.ts';
import { failure } from '../../support/upstream-scripts.ts';
import { failed } from './failed-attempt.ts';

type Repeat = { readonly waitMs: number; readonly isReplacement: boolean } | undefined;

function decision(situation: FailedAttempt, config: Partial<RetryConfig> = {}): Decision {
  return decideAfterAttempt(situation, { ...DEFAULT_ENGINE_CONFIG.retry, jitter: 'NONE', ...config }, () => 0.5);
}

function decide(
  failureClass: FailureClass,
  situation: Partial<FailedAttempt> = {},
  config: Partial<RetryConfig> = {},
): Repeat {
  const decided = decision(failed(failureClass, situation), config);
  return decided.kind === 'REPEAT' ? { waitMs: decided.waitMs, isReplacement: decided.isReplacement } : undefined;
}

function cooling(forMs: number): Unavailable | undefined {
  return forMs > 0 ? { reason: 'PROVIDER_RATE_LIMITED', forMs } : undefined;
}

/** A failure with a hint, and the cooldown that it has caused. */
function hint(failureClass: FailureClass, retryAfterMs: number, jitterMs = 0): Partial<FailedAttempt> {
  return { failure: failure(failureClass, { retryAfterMs }), unavailable: cooling(retryAfterMs + jitterMs) };
}

describe('a repeat on the same target, next to another', () => {
  it('waits up to 250 ms after an overload, and 50 ms after a connection that failed', () => {
    expect(decide('overload')).toEqual({ waitMs: 250, isReplacement: false });
    expect(decide('conflict')).toEqual({ waitMs: 250, isReplacement: false });
    expect(decide('connect')).toEqual({ waitMs: 50, isReplacement: false });
    expect(decide('reset')).toEqual({ waitMs: 50, isReplacement: false });
  });

  it('draws its wait with full jitter', () => {
    expect(decide('overload', {}, { jitter: 'FULL' })?.waitMs).toBe(125);
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
    expect(decide('overload', { sliceMs: 1_250 })).toBeDefined();
    expect(decide('overload', { sliceMs: 1_249 })).toBeUndefined();
  });

  it('is not made where the others fail as well: the rounds do the repeating, unless the provider has named a time', () => {
    for (const name of ['overload', 'connect', 'reset', 'conflict'] as const) {
      expect(decide(name, { anotherIsSound: false })).toBeUndefined();
    }
    expect(decide('overload', { ...hint('overload', 500), anotherIsSound: false })?.waitMs).toBe(500);
    expect(decide('stale_socket', { anotherIsSound: false })).toBeDefined();
    expect(decide('overload', { anotherIsSound: false }, { order: 'EXHAUST_FIRST' })?.waitMs).toBe(1_000);
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
    expect(decide('stale_socket')).toEqual({ waitMs: 0, isReplacement: true });
    expect(decide('stale_socket', { mayRepeat: false, repeatsInVisit: 1 })).toEqual({ waitMs: 0, isReplacement: true });
    expect(decide('stale_socket', { staleSocketReplaced: true })).toBeUndefined();
  });
});

describe('Retry-After', () => {
  it('is waited for on the same target up to 2 s, cooldown and its jitter included', () => {
    expect(decide('rate_limit', hint('rate_limit', 2_000, 200))).toEqual({ waitMs: 2_200, isReplacement: false });
    expect(decide('rate_limit', hint('rate_limit', 2_001))).toBeUndefined();
    expect(decide('overload', hint('overload', 1_500))).toEqual({ waitMs: 1_500, isReplacement: false });
    expect(decide('overload', hint('overload', 5_000))).toBeUndefined();
  });

  it('is required for a repeat after a rate limit', () => {
    expect(decide('rate_limit')).toBeUndefined();
    expect(decide('rate_limit', { unavailable: cooling(1_000) })).toBeUndefined();
  });

  it('never shortens the wait', () => {
    expect(decide('overload', hint('overload', 0))).toEqual({ waitMs: 250, isReplacement: false });
    expect(decide('rate_limit', hint('rate_limit', 0))).toEqual({ waitMs: 250, isReplacement: false });
    const lone = { ...hint('rate_limit', 0), anotherIsAvailable: false, anotherIsSound: false };
    expect(decide('rate_limit', lone)).toEqual({ waitMs: 1_000, isReplacement: false });
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
      const alone = { anotherIsAvailable: false, anotherIsSound: false };
      expect(decide('overload', alone, { order })).toBeUndefined();
      const short = { ...hint('rate_limit', 1_000), ...alone };
      expect(decide('rate_limit', short, { order })).toEqual({ waitMs: 1_000, isReplacement: false });
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

describe('what follows a failed attempt', () => {
  const answer = { isTolerable: true, hasRepair: true };

  it('is the end, and the failure is told, where the request or the caller is to blame', () => {
    for (const name of ['bad_request', 'content', 'client_cancel', 'slow_reader'] as const) {
      expect(decision(failed(name))).toEqual({ kind: 'GIVE_UP', isDecisive: true });
    }
  });

  it('is the next target, as long as nothing of the answer has come', () => {
    for (const name of ['silence', 'auth', 'quota', 'not_found', 'capability', 'protocol', 'internal'] as const) {
      expect(decision(failed(name))).toEqual({ kind: 'NEXT', begins: 'NORMAL' });
    }
  });

  it('is the end behind a second fault of our own', () => {
    expect(decision(failed('internal', { hasInternalFault: true }))).toEqual({ kind: 'GIVE_UP', isDecisive: true });
  });

  it('is a repair where an answer is to be mended, and there is budget and time for it', () => {
    expect(decision(failed('mismatch', { rejection: answer }))).toEqual({ kind: 'REPAIR', begins: 'NORMAL' });
    for (const lack of [{ mayRepeat: false }, { remainingMs: 999 }, { hasRepeats: false }]) {
      expect(decision(failed('mismatch', { rejection: answer, ...lack }))).toEqual({ kind: 'ANSWER' });
    }
    const strict = { isTolerable: false, hasRepair: true };
    expect(decision(failed('mismatch', { rejection: strict, mayRepeat: false }))).toMatchObject({ kind: 'NEXT' });
  });

  it('is a repair that the caller is told of where it has got the answer as a stream and wants restarts', () => {
    const streamed = { rejection: answer, isCommitted: true, hasOutput: true };
    const restart = failed('mismatch', { ...streamed, recovery: 'RESTART' });
    expect(decision(restart)).toEqual({ kind: 'REPAIR', begins: 'RESTART' });
    expect(decision(failed('mismatch', { ...streamed, recovery: 'FAIL' }))).toEqual({ kind: 'ANSWER' });
  });

  it('is the answer that was to be mended, where its repair fails and that answer will do', () => {
    const repair = { isRepair: true, hasTolerableAnswer: true };
    expect(decision(failed('overload', repair))).toEqual({ kind: 'ANSWER' });
    expect(decision(failed('overload', { isRepair: true }))).toEqual({ kind: 'NEXT', begins: 'NORMAL' });
    expect(decision(failed('client_cancel', repair))).toEqual({ kind: 'GIVE_UP', isDecisive: true });
  });

  it('is no repeat while the gateway goes down', () => {
    expect(decide('stale_socket', { isDraining: true })).toBeUndefined();
    expect(decide('overload', { isDraining: true })).toBeUndefined();
  });
});

describe('a request that was written wrongly', () => {
  const rewritable = (situation: Parameters<typeof failed>[1] = {}) =>
    decision(failed('capability', { isRewritable: true, ...situation }));

  it('is written anew and sent at once, whether or not there is another target, and without any budget', () => {
    expect(rewritable()).toEqual({ kind: 'REWRITE' });
    expect(rewritable({ anotherIsAvailable: false, mayRepeat: false, hasRepeats: false })).toEqual({ kind: 'REWRITE' });
  });

  it('goes to the next target where it is not of use, or not possible', () => {
    for (const situation of [
      { isRewritable: false },
      { rewritesInVisit: 4 },
      { isDraining: true },
      { sliceMs: 999 },
      { unavailable: { reason: 'CIRCUIT_OPEN', forMs: 1_000 } as const },
    ]) {
      expect(rewritable(situation)).toEqual({ kind: 'NEXT', begins: 'NORMAL' });
    }
  });
});
