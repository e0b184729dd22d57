import { describe, expect, it } from 'vitest';

import type { FailureClass } from '../../../src/core/failure.ts';
import type { RetryConfig } from '../../../src/engine/port/config.ts';
import { DEFAULT_ENGINE_CONFIG } from '../../../src/engine/port/config.ts';
import type { TurnsTaken } from '../../../src/engine/policy/after-turns.ts';
import { decideAfterTurns } from '../../../src/engine/policy/after-turns.ts';
import type { Unavailable } from '../../../src/engine/target/availability.ts';

function wait(situation: Partial<TurnsTaken>, config: Partial<RetryConfig> = {}): number | undefined {
  const decision = decideAfterTurns(
    {
      repeats: 0,
      visited: true,
      isDraining: false,
      remainingMs: 60_000,
      slotWaitMs: 0,
      minAttemptMs: 1_000,
      candidates: [],
      ...situation,
    },
    { ...DEFAULT_ENGINE_CONFIG.retry, jitter: 'NONE', ...config },
    () => 0.5,
  );
  return decision.kind === 'ROUND' ? decision.waitMs : undefined;
}

function candidate(lastClass?: FailureClass, unavailable?: Unavailable): TurnsTaken['candidates'][number] {
  return { lastClass, mayRepeat: true, unavailable };
}

function exhausted(lastClass?: FailureClass, unavailable?: Unavailable): TurnsTaken['candidates'][number] {
  return { ...candidate(lastClass, unavailable), mayRepeat: false };
}

const full: Unavailable = { reason: 'OVERLOADED', forMs: 50 };
const cooling = (forMs: number): Unavailable => ({ reason: 'PROVIDER_RATE_LIMITED', forMs });

describe('the wait before the next round', () => {
  it('has the ceilings 1, 2, 4 and 8 s, the last of which repeats', () => {
    const waits = [0, 1, 2, 3].map((repeats) => wait({ repeats, candidates: [candidate('overload')] }));
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000]);
    const more = wait({ repeats: 4, candidates: [candidate('overload')] }, { maxRepeats: 5 });
    expect(more).toBe(8_000);
    expect(wait({ candidates: [candidate('overload')] }, { jitter: 'FULL' })).toBe(500);
  });

  it('is the same for every class: a refused connection is given as much time as an overload', () => {
    for (const name of ['connect', 'reset', 'silence', 'rate_limit'] as const) {
      expect(wait({ candidates: [candidate(name)] })).toBe(1_000);
      expect(wait({ repeats: 3, candidates: [candidate(name)] })).toBe(8_000);
    }
  });

  it('is that of the last repeat that the round has room for', () => {
    expect(wait({ candidates: [candidate('connect'), candidate('silence')] })).toBe(2_000);
    expect(wait({ repeats: 2, candidates: [candidate('connect'), candidate('silence')] })).toBe(8_000);
    expect(wait({ candidates: [candidate('overload'), exhausted('overload'), candidate()] })).toBe(1_000);
  });

  it('is cut to what is left of the deadline, but for the least attempt and a timer that is late', () => {
    expect(wait({ remainingMs: 2_000, candidates: [candidate('overload')] })).toBe(950);
    expect(wait({ remainingMs: 1_049, candidates: [candidate('overload')] })).toBe(0);
    expect(wait({ remainingMs: 5_000, repeats: 3, candidates: [candidate('overload')] }, { jitter: 'FULL' })).toBe(
      1_975,
    );
  });

  it('is never longer than 30 s', () => {
    expect(wait({ remainingMs: 600_000, candidates: [candidate('overload')] }, { backoffMs: [90_000] })).toBe(30_000);
  });

  it('is short for a target that takes no more attempts, as long as its slot is waited for', () => {
    const candidates = [candidate(undefined, full)];
    expect(wait({ candidates, visited: false, slotWaitMs: 1_000 })).toBe(50);
    expect(wait({ candidates, visited: false, slotWaitMs: 50 })).toBe(50);
    expect(wait({ candidates, visited: false, slotWaitMs: 49 })).toBeUndefined();
    expect(wait({ candidates: [...candidates, candidate('overload')], slotWaitMs: 0 })).toBe(1_000);
  });

  it('lasts until the first target is available', () => {
    expect(
      wait({ candidates: [candidate('rate_limit', cooling(5_000)), candidate('rate_limit', cooling(9_000))] }),
    ).toBe(5_000);
    expect(wait({ candidates: [candidate('rate_limit', cooling(5_000)), candidate('overload')] })).toBe(2_000);
    expect(wait({ visited: false, candidates: [candidate(undefined, cooling(5_000))] })).toBe(5_000);
  });

  it('lets a target that had no turn have it, also without repeats', () => {
    expect(wait({ candidates: [exhausted()] })).toBe(0);
    expect(wait({ candidates: [exhausted(undefined, cooling(2_000)), exhausted('overload')] })).toBe(2_000);
  });

  it('always lets some time pass where the last round made no attempt', () => {
    expect(wait({ visited: false, candidates: [candidate()] })).toBeGreaterThan(0);
    expect(wait({ visited: false, candidates: [candidate('overload')] })).toBeGreaterThan(0);
  });
});

describe('there is no next round', () => {
  it('without a target that may come back, or without repeats', () => {
    expect(wait({ candidates: [] })).toBeUndefined();
    expect(wait({ candidates: [exhausted('overload')] })).toBeUndefined();
  });

  it('for open circuits and suspended targets', () => {
    const open = candidate('overload', { reason: 'CIRCUIT_OPEN', forMs: 100 });
    const suspended = candidate(undefined, { reason: 'PROVIDER_AUTH_FAILED', forMs: 100 });
    expect(wait({ candidates: [open, suspended] })).toBeUndefined();
    expect(wait({ candidates: [open, candidate('overload')] })).toBe(1_000);
  });

  it('where the provider wants to be left alone for longer than 30 s, or for so long that no time is left for an attempt', () => {
    expect(wait({ candidates: [candidate('rate_limit', cooling(30_000))] })).toBe(30_000);
    expect(wait({ candidates: [candidate('rate_limit', cooling(30_001))] })).toBeUndefined();
    expect(wait({ remainingMs: 3_000, candidates: [candidate('rate_limit', cooling(2_000))] })).toBe(2_000);
    expect(wait({ remainingMs: 2_999, candidates: [candidate('rate_limit', cooling(2_000))] })).toBeUndefined();
  });

  it('where no time is left for an attempt', () => {
    expect(wait({ remainingMs: 1_000, candidates: [candidate('overload')] })).toBe(0);
    expect(wait({ remainingMs: 999, candidates: [candidate('overload')] })).toBeUndefined();
  });

  it('where every target was exhausted in its turn', () => {
    expect(wait({ candidates: [candidate('overload')] }, { order: 'EXHAUST_FIRST' })).toBeUndefined();
  });

  it('while the gateway goes down', () => {
    expect(wait({ candidates: [candidate('overload')], isDraining: true })).toBeUndefined();
  });
});
