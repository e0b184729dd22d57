import { beforeEach, describe, expect, it } from 'vitest';

import type { AttemptLimits } from '../../../src/engine/attempt/time-limits.ts';
import type { Script } from '../../support/upstream-scripts.ts';
import {
  after,
  END,
  headers,
  keepAlives,
  output,
  SILENCE,
  startup,
  terminal,
  usage,
} from '../../support/upstream-scripts.ts';
import { AttemptBench } from './attempt-bench.ts';

/** A model that thinks behind its head and signs of life. */
const BEHIND_SIGNS = { sliceMs: 500_000, noHeadMs: 40_000, headAloneMs: 12_000, firstOutputMs: 180_000 };
/** A model that thinks before its head comes. */
const WITHOUT_HEAD = { ...BEHIND_SIGNS, noHeadMs: 120_000, headAloneMs: 40_000 };
/** A server that somebody runs, and that may read a long prompt for 28 s more. */
const SOMEBODYS = { ...BEHIND_SIGNS, noHeadMs: 12_000, headAloneMs: 40_000, firstOutputMs: 120_000 };

const WORDS = [output('a'), terminal(), END].map((event) => after(0, event));
const thenWords = (waitMs: number): Script => [after(waitMs, output('a')), ...WORDS.slice(1)];

let bench: AttemptBench;

beforeEach(() => {
  bench = new AttemptBench();
});

function ended(script: Script, limits: Partial<AttemptLimits>): Promise<string> {
  return bench.start(script, { blameAfterMs: 180_000, ...limits }).ended();
}

describe('what has come before the first output', () => {
  it.each([
    ['no head', [], BEHIND_SIGNS, 'silence at 40000'],
    ['a head alone', [after(300, headers())], BEHIND_SIGNS, 'silence at 12000'],
    ['a head alone that comes late', [after(10_001, headers())], BEHIND_SIGNS, 'silence at 40000'],
    ['a sign of life', [after(300, headers()), after(0, startup())], BEHIND_SIGNS, 'silence at 180000'],
    [
      'usage, told before any words',
      [after(300, headers()), after(0, usage({ inputTokens: 7 }))],
      BEHIND_SIGNS,
      'silence at 180000',
    ],
    ['no head, where it comes with the words', [], WITHOUT_HEAD, 'silence at 120000'],
    ['a head alone, where it comes with the words', [after(300, headers())], WITHOUT_HEAD, 'silence at 40000'],
    ['a late head', [after(60_000, headers())], WITHOUT_HEAD, 'silence at 120000'],
    ['no head of somebody’s server', [], SOMEBODYS, 'silence at 12000'],
    ['a head of somebody’s server', [after(11_000, headers())], SOMEBODYS, 'silence at 40000'],
    ['comments of somebody’s server', keepAlives(1_000), SOMEBODYS, 'silence at 120000'],
  ])('chooses the limit that counts, from the start of the attempt: %s', async (_, script, limits, end) => {
    expect(await ended(script, limits)).toBe(end);
    expect(bench.runtime.pendingTimers()).toBe(0);
  });

  it.each([
    ['90 s behind a startup event', [after(300, headers()), after(0, startup()), ...thenWords(90_000)], BEHIND_SIGNS],
    ['19 s behind a late head', [after(20_000, headers()), ...thenWords(19_000)], BEHIND_SIGNS],
    ['90 s without a head', [after(90_000, headers()), ...WORDS], WITHOUT_HEAD],
    ['39.9 s without a head', [after(39_900, headers()), ...thenWords(300)], WITHOUT_HEAD],
    ['179.9 s behind pings', [...keepAlives(1_000, 179), ...thenWords(900)], BEHIND_SIGNS],
    ['29 s behind comments', [...keepAlives(1_000, 28), ...thenWords(1_000)], SOMEBODYS],
    ['39 s behind a head alone', [after(100, headers()), ...thenWords(39_000)], SOMEBODYS],
  ])('never cuts a model that thinks or reads: %s', async (_, script, limits) => {
    expect(await ended(script, limits)).toMatch(/^stop at /);
  });

  it('is not moved on by signs of life that go on for ever', async () => {
    expect(await ended([after(39_000, headers()), ...keepAlives(900)], BEHIND_SIGNS)).toBe('silence at 180000');
  });

  it('says whom a shorter slice blames: nobody before the limit that counts', async () => {
    expect(await ended(SILENCE, { ...BEHIND_SIGNS, sliceMs: 39_000 })).toBe('cut_short at 39000');
    expect(await ended(SILENCE, { ...BEHIND_SIGNS, sliceMs: 40_000 })).toBe('silence at 79000');
    expect(await ended(keepAlives(1_000), { ...BEHIND_SIGNS, sliceMs: 60_000 })).toBe('cut_short at 139000');
    expect(await ended(SILENCE, { ...WITHOUT_HEAD, sliceMs: 60_000 })).toBe('cut_short at 199000');
  });

  it('says whom a deadline blames', async () => {
    expect(await ended(SILENCE, { ...BEHIND_SIGNS, deadlineAtMs: 40_000 })).toBe('silence at 40000');
    const signs = bench.start([after(0, startup())], { ...BEHIND_SIGNS, blameAfterMs: 180_000, deadlineAtMs: 130_000 });
    expect(await signs.ended()).toBe('cut_short at 130000');
    expect(signs.end()).toMatchObject({ failure: { reason: 'DEADLINE' } });
  });

  it('leaves the blame to what was measured where that is sooner', async () => {
    expect(await ended(SILENCE, { ...BEHIND_SIGNS, blameAfterMs: 5_000, sliceMs: 6_000 })).toBe('silence at 6000');
  });
});
