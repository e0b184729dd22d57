import { describe, expect, it } from 'vitest';

import type { Account } from '../account.ts';
import type { Figures } from './figures.ts';
import type { Finding } from './verdict.ts';
import { checkComparable, findBetterBefore, findBetterRivals, listed } from './verdict.ts';

const EVEN: Account = {
  requests: 100,
  success: 0.9,
  firstOutputP50Ms: 400,
  firstOutputP99Ms: 900,
  callsPerRequest: 1.1,
  wastedTokens: 0,
  deadSeconds: undefined,
  silentMs: undefined,
  leftWell: 0,
  heldOffWellMs: 0,
  failsForMs: undefined,
  awayForMs: undefined,
  corrupted: 0,
};

/** What policies came to, seed by seed from 1 on, in what is not as in all others. */
function seeds(policies: Readonly<Record<string, readonly Partial<Account>[]>>): readonly Figures[] {
  const count = Math.max(...Object.values(policies).map((accounts) => accounts.length));
  return Array.from({ length: count }, (_, index) => ({
    seed: index + 1,
    requests: 100,
    mostAtATime: 1,
    policies: Object.fromEntries(
      Object.entries(policies).map(([name, accounts]) => [name, { ...EVEN, ...accounts[index] }]),
    ),
  }));
}

function success(...shares: readonly number[]): readonly Partial<Account>[] {
  return shares.map((share) => ({ success: share }));
}

function rivalsIn(policies: Readonly<Record<string, readonly Partial<Account>[]>>): readonly Finding[] {
  return findBetterRivals({ herd: seeds(policies) });
}

const FIVE = [{}, {}, {}, {}, {}];

describe('a rival is better', () => {
  it('where it gains more in the mean than half of the range of its gains, seed by seed', () => {
    // By 2 to 4 points on the same tape, though the tapes themselves differ by twenty.
    const ours = success(0.7, 0.75, 0.8, 0.85, 0.9);
    const found = rivalsIn({ Understudy: ours, 'cockatiel 4': success(0.73, 0.79, 0.82, 0.88, 0.93) });
    expect(found).toEqual([
      {
        kind: 'better',
        scenario: 'herd',
        who: 'cockatiel 4',
        what: 'success 83.0 ± 10.0 % against 80.0 ± 10.0 %',
      },
    ]);
  });

  it('not where its gains scatter around as much as they are', () => {
    const ours = success(0.9, 0.9, 0.9, 0.9, 0.9);
    expect(rivalsIn({ Understudy: ours, 'cockatiel 4': success(0.95, 0.95, 0.8, 0.95, 0.92) })).toEqual([]);
  });

  it('not by what no table can show', () => {
    const theirs = FIVE.map(() => ({ success: 0.9004, firstOutputP99Ms: 820, callsPerRequest: 1.096 }));
    expect(rivalsIn({ Understudy: FIVE, 'Portkey-like': theirs })).toEqual([]);
    const shown = FIVE.map(() => ({ firstOutputP99Ms: 800 }));
    expect(rivalsIn({ Understudy: FIVE, 'Portkey-like': shown })).toMatchObject([{ kind: 'better' }]);
  });

  it('in what is low where little is answered only where it answers as much; elsewhere that is told apart', () => {
    const quick = FIVE.map(() => ({ success: 0.5, firstOutputP50Ms: 200, deadSeconds: 1, failsForMs: 0 }));
    const ours = FIVE.map(() => ({ deadSeconds: 9, failsForMs: 5_000 }));
    const found = rivalsIn({ Understudy: ours, 'Portkey-like': quick });
    expect(found.map(({ kind, what }) => [kind, what.split(' against ')[0]])).toEqual([
      ['answers less', 'first output p50 0.2 s'],
      ['answers less', 'into the dead 1 s'],
      ['better', 'still failing for 0.0 s'],
    ]);
  });

  it('than one row only, where another row is no worse', () => {
    const policies = { Understudy: success(0.8, 0.8, 0.8), 'Understudy, RESTART': success(1, 1, 1) };
    expect(rivalsIn({ ...policies, 'seed schedule': success(1, 1, 1) })).toMatchObject([
      { kind: 'better than one row' },
    ]);
    expect(rivalsIn({ ...policies, 'seed schedule': success(0.7, 0.7, 0.7) })).toEqual([]);
  });

  it('is held against the best row, which is named where it is not the first', () => {
    const policies = { Understudy: success(0.8, 0.8, 0.8), 'Understudy, RESTART': success(0.9, 0.9, 0.9) };
    expect(rivalsIn({ ...policies, 'seed schedule': success(1, 1, 1) })).toMatchObject([
      { kind: 'better', what: 'success 100.0 % against 90.0 % (Understudy, RESTART)' },
    ]);
  });

  it('not in what a policy without circuits cannot do', () => {
    const blamed = FIVE.map(() => ({ heldOffWellMs: 60_000 }));
    const cannot = FIVE.map(() => ({ heldOffWellMs: undefined }));
    expect(rivalsIn({ Understudy: blamed, 'Portkey-like': cannot })).toEqual([]);
  });
});

describe('an earlier run', () => {
  const now = { herd: seeds({ Understudy: success(0.8, 0.8, 0.8), 'cockatiel 4': success(1, 1, 1) }) };

  it('was better where a row has lost more than scatter, whatever rivals do', () => {
    const before = { herd: seeds({ Understudy: success(0.9, 0.9, 0.9) }) };
    expect(findBetterBefore(now, before)).toEqual([
      { kind: 'better', scenario: 'herd', who: 'Understudy, before', what: 'success 90.0 % against 80.0 %' },
    ]);
    expect(findBetterBefore(now, { herd: seeds({ Understudy: success(0.8, 0.7, 0.8) }) })).toEqual([]);
  });

  it('is compared over the seeds of both', () => {
    const before = { herd: seeds({ Understudy: success(0.8, 0.8, 0.8, 1, 1) }) };
    expect(findBetterBefore(now, before)).toEqual([]);
  });

  it('must have three of the seeds, and every scenario', () => {
    const before = { herd: seeds({ Understudy: success(0.9, 0.9, 0.9) }) };
    expect(() => {
      checkComparable(before, ['herd'], [1, 2, 3, 4, 5]);
    }).not.toThrow();
    expect(() => {
      checkComparable(before, ['herd'], [2, 3, 4]);
    }).toThrow('herd: the earlier run has fewer than 3');
    expect(() => {
      checkComparable(before, ['herd', 'outage'], [1, 2, 3]);
    }).toThrow('outage: the earlier run has fewer than 3');
  });
});

describe('a list of findings', () => {
  it('says first what counts, and says that there is nothing', () => {
    expect(listed([])).toBe('None.\n');
    const found = [
      { kind: 'answers less', scenario: 'herd', who: 'cockatiel 4', what: 'p99 1.0 s against 2.0 s' },
      { kind: 'better', scenario: 'outage', who: 'LiteLLM-like', what: 'success 9.0 % against 8.0 %' },
      { kind: 'answers less', scenario: 'herd', who: 'cockatiel 4', what: 'into the dead 1 s against 2 s' },
    ] as const;
    expect(listed(found).split('\n')).toEqual([
      '- outage, LiteLLM-like: success 9.0 % against 8.0 %',
      '',
      'In figures that are low where little is answered, though it answers less:',
      '',
      '- herd, cockatiel 4: p99 1.0 s against 2.0 s; into the dead 1 s against 2 s',
      '',
    ]);
  });
});
