import { describe, expect, it } from 'vitest';

import type { AllRefused, RefusedEntry } from '../../../src/engine/policy/when-refused.ts';
import { decideWhenRefused } from '../../../src/engine/policy/when-refused.ts';
import { DEFAULT_ENGINE_CONFIG } from '../../../src/engine/port/config.ts';
import type { RetryConfig } from '../../../src/engine/port/config.ts';

interface Named extends RefusedEntry {
  readonly name: string;
}

function entry(name: string, more: Partial<RefusedEntry> = {}): Named {
  const usual = { wasTried: false, mayRepeat: true, allowsAhead: true, successShare: 0, openForMs: 0, isLively: false };
  return { name, ...usual, ...more };
}

function decide(refused: readonly Named[], more: Partial<AllRefused<Named>> = {}, retry: Partial<RetryConfig> = {}) {
  const usual = { isFresh: true, waitedMs: 0, remainingMs: 60_000, minAttemptMs: 1_000, isCrowded: false };
  const decision = decideWhenRefused(
    { refused, ...usual, ...more },
    { ...DEFAULT_ENGINE_CONFIG.retry, jitter: 'NONE', ...retry },
    () => 0.25,
  );
  return decision.kind === 'AHEAD' ? decision.entry.name : decision.kind === 'GIVE_UP' ? 'gives up' : decision.waitMs;
}

describe('who is asked ahead of its time', () => {
  it('is who fails least, of several the first', () => {
    expect(
      decide([entry('a', { successShare: 0.2 }), entry('b', { successShare: 0.5 }), entry('c', { successShare: 0.5 })]),
    ).toBe('b');
    expect(decide([entry('a'), entry('b')])).toBe('a');
  });

  it('is whom the request has not tried yet, before all others', () => {
    expect(decide([entry('a', { wasTried: true, successShare: 0.9 }), entry('b')])).toBe('b');
  });

  it('has something left in its budget, and, where it was tried, repeats', () => {
    const spent = entry('a', { allowsAhead: false });
    const tried = entry('b', { wasTried: true, mayRepeat: false });
    expect(decide([spent, tried, entry('c')])).toBe('c');
    expect(decide([entry('b', { wasTried: true })])).toBe('b');
    expect(decide([entry('b', { wasTried: true })], {}, { order: 'EXHAUST_FIRST' })).toBe('gives up');
  });

  it('must have succeeded of late where the request has failed before and has not waited since', () => {
    expect(decide([entry('a'), entry('b', { successShare: 0.1 })], { isFresh: false })).toBe('b');
    expect(decide([entry('a')], { isFresh: false })).toBe(1_000);
    expect(decide([entry('a', { wasTried: true, successShare: 0.5 })], { isFresh: false })).toBe(1_000);
  });
});

describe('a request that nobody may be asked for', () => {
  const spent = entry('a', { allowsAhead: false });

  it('looks again after a wait of up to a second', () => {
    expect(decide([spent])).toBe(1_000);
    expect(decide([spent], {}, { jitter: 'FULL' })).toBe(250);
    expect(decide([spent], {}, { backoffMs: [0] })).toBe(50);
  });

  it('waits while any circuit has been open for less than a minute', () => {
    const old = { allowsAhead: false, openForMs: 60_000 };
    expect(decide([entry('a', old), entry('b', { ...old, openForMs: 59_999 })])).toBe(1_000);
    expect(decide([entry('a', old), entry('b', old)])).toBe('gives up');
    expect(decide([entry('a', { ...old, isLively: true })])).toBe(1_000);
  });

  it('goes on waiting where the minute ends meanwhile, for 20 s in all, and 30 s where a call begins to answer', () => {
    const old = { allowsAhead: false, openForMs: 60_000 };
    expect(decide([entry('a', old)], { waitedMs: 19_500 })).toBe(500);
    expect(decide([entry('a', old)], { waitedMs: 20_000 })).toBe('gives up');
    expect(decide([entry('a', { ...old, isLively: true })], { waitedMs: 29_999 })).toBe(1);
    expect(decide([entry('a', { ...old, isLively: true })], { waitedMs: 30_000 })).toBe('gives up');
  });

  it('gives up where the wait does not fit, too many are under way, or there are no rounds', () => {
    expect(decide([spent], { remainingMs: 1_999 })).toBe('gives up');
    expect(decide([spent], { isCrowded: true })).toBe('gives up');
    expect(decide([spent], {}, { order: 'EXHAUST_FIRST' })).toBe('gives up');
    expect(decide([entry('a', { wasTried: true, mayRepeat: false })])).toBe('gives up');
    expect(decide([])).toBe('gives up');
  });
});
