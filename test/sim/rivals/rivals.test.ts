import { describe, expect, it } from 'vitest';

import { failure } from '../../support/upstream-scripts.ts';
import type { SimRequest } from '../tape.ts';
import { PLAIN } from '../tape.ts';
import { reckon } from './account.ts';
import { COCKATIEL } from './cockatiel.ts';
import { CallError } from './exchange.ts';
import { figuresOf } from './figures/figures.ts';
import { tableOf } from './figures/tables.ts';
import { heldOffThoughWellMs } from './figures/wronged.ts';
import { LITELLM_LIKE } from './litellm-like.ts';
import type { History } from './live.ts';
import { live } from './live.ts';
import { RIVALS } from './policies.ts';
import { PORTKEY_LIKE } from './portkey-like.ts';
import type { Rival } from './rival.ts';
import type { Scenario, Trouble } from './scenario.ts';
import { scenarioOf, TARGETS } from './scenario.ts';
import { makeScenario } from './scenarios.ts';
import { SEED_SCHEDULE } from './seed-schedule.ts';
import { UNDERSTUDY, UNDERSTUDY_EXHAUST_FIRST, UNDERSTUDY_RESTART } from './understudy.ts';

const FOUR_SICK: Trouble = { targets: ['a', 'b', 'c', 'd'], kind: 'overload', fromMs: 0, toMs: 600_000 };
const ALL_SICK: Trouble = { ...FOUR_SICK, targets: TARGETS };
const FIRST_DEAD: Trouble = { ...FOUR_SICK, targets: ['a'], kind: 'refused' };

/** A world with requests at some moments and the trouble that they meet. */
function world(trouble: Trouble, atMs: readonly number[], more: Partial<SimRequest> = {}): Scenario {
  const scenario = scenarioOf({ name: 'test', models: '', crowds: [], troubles: [trouble] }, 1);
  const requests = atMs.map((moment, id): SimRequest => {
    return {
      id,
      atMs: moment,
      chain: TARGETS,
      timeoutMs: 120_000,
      streams: true,
      ...PLAIN,
      ...more,
    };
  });
  return { ...scenario, tape: { ...scenario.tape, requests } };
}

function firstMinutes({ tape, ...scenario }: Scenario, minutes: number): Scenario {
  return { ...scenario, tape: { ...tape, requests: tape.requests.filter(({ atMs }) => atMs < minutes * 60_000) } };
}

async function callsOf(scenario: Scenario, rival: Rival): Promise<History['stories'][number]['calls']> {
  return (await live(scenario, rival)).stories.flatMap(({ calls }) => calls);
}

/** The pauses between the calls of a target: from the end of one to the beginning of the next. */
function pausesMs(calls: readonly { openedAtMs: number; closedAtMs: number | undefined }[]): number[] {
  return calls.slice(1).map(({ openedAtMs }, index) => openedAtMs - (calls[index]?.closedAtMs ?? Number.NaN));
}

describe('the seed schedule', () => {
  it('spends a minute of waits and 20 failed calls, 62 s in all, on four sick targets before the fifth answers', async () => {
    const { stories } = await live(world(FOUR_SICK, [0]), SEED_SCHEDULE);
    const [story] = stories;
    const calls = story?.calls ?? [];
    expect(calls.map(({ target }) => target).join('')).toBe('aaaaabbbbbcccccddddde');
    const waits = pausesMs(calls.slice(0, 5));
    expect(waits.map((ms) => Math.round(ms))).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(story?.ending?.ok).toBe(true);
    const failedForMs = calls
      .slice(0, 20)
      .reduce((sum, call) => sum + (call.closedAtMs ?? Number.NaN) - call.openedAtMs, 0);
    const lastOpenedAtMs = calls.at(-1)?.openedAtMs ?? Number.NaN;
    expect(lastOpenedAtMs).toBeCloseTo(60_000 + failedForMs, 3);
    // A call fails after a tenth of a second or so.
    expect(Math.abs(lastOpenedAtMs - 62_000)).toBeLessThan(1_000);
  });

  it('is left behind by the defaults of the engine, with five failed calls and less than 2 s', async () => {
    const [story] = (await live(world(FOUR_SICK, [0]), UNDERSTUDY)).stories;
    expect(story?.calls.map(({ target }) => target).join('')).toBe('aabcde');
    expect(story?.firstOutputAtMs).toBeLessThan(2_000);
  });

  it('is what the preset EXHAUST_FIRST does', async () => {
    const calls = await callsOf(world(FOUR_SICK, [0]), UNDERSTUDY_EXHAUST_FIRST);
    expect(calls.map(({ target }) => target).join('')).toBe('aaaaabbbbbcccccddddde');
  });

  it('leaves an open circuit alone for 30 s', async () => {
    const calls = await callsOf(world(FIRST_DEAD, [0, 20_000, 44_000, 46_000]), SEED_SCHEDULE);
    const toFirst = calls.filter(({ target }) => target === 'a');
    // The first request makes five calls within 15 s; the next that comes 30 s behind the last of them tries again.
    expect(toFirst.slice(0, 6).map(({ openedAtMs }) => Math.floor(openedAtMs / 1_000))).toEqual([0, 1, 3, 7, 15, 46]);
  });
});

describe('cockatiel', () => {
  it('breaks the circuit at the fifth failure in a row and leaves it alone for 10 s', async () => {
    const calls = await callsOf(world(FIRST_DEAD, [0, 5_000, 10_000, 20_000]), COCKATIEL);
    const toFirst = calls
      .filter(({ target }) => target === 'a')
      .map(({ openedAtMs }) => Math.floor(openedAtMs / 1_000));
    expect(toFirst.filter((atSecond) => atSecond < 5)).toHaveLength(4);
    expect(toFirst.filter((atSecond) => atSecond >= 5 && atSecond < 20)).toEqual([5]);
    expect(toFirst.some((atSecond) => atSecond >= 20)).toBe(true);
  });

  it('holds nothing against the targets that follow where a caller has gone', async () => {
    const silent = world({ ...FIRST_DEAD, kind: 'silence' }, [0, 3_000, 6_000, 9_000, 12_000], { timeoutMs: 2_000 });
    const { heldOff } = await live(silent, COCKATIEL);
    expect(new Set(heldOff?.map(({ target }) => target))).toEqual(new Set(['a']));
  });

  it('reads the virtual clock, and the real one is back afterwards', async () => {
    const { setTimeout, clearTimeout, Date: date, Math: math } = globalThis;
    const before = { setTimeout, clearTimeout, now: date.now, random: math.random };
    await live(world(ALL_SICK, [0]), COCKATIEL);
    expect({
      setTimeout: globalThis.setTimeout,
      clearTimeout: globalThis.clearTimeout,
      now: Date.now,
      random: Math.random,
    }).toEqual(before);
  });
});

describe('the LiteLLM-like policy', () => {
  it('multiplies retries per hop: three calls of each target', async () => {
    const calls = await callsOf(world(ALL_SICK, [0]), LITELLM_LIKE);
    expect(calls.map(({ target }) => target).join('')).toBe('aaabbbcccdddeee');
  });

  it('cools a target down for 5 s when most of at least five calls in a minute failed', async () => {
    const calls = await callsOf(world(FIRST_DEAD, [0, 4_000, 7_000, 12_000]), LITELLM_LIKE);
    const toFirst = calls
      .filter(({ target }) => target === 'a')
      .map(({ openedAtMs }) => Math.floor(openedAtMs / 1_000));
    expect(toFirst.slice(0, 5)).toEqual([0, 0, 1, 4, 4]);
    expect(toFirst.slice(5)).toEqual([12]);
  });
});

describe('the Portkey-like policy', () => {
  it('waits 1, 2 and 4 s on a target without jitter', async () => {
    const calls = await callsOf(world(FIRST_DEAD, [0]), PORTKEY_LIKE);
    expect(calls.map(({ target }) => target).join('')).toBe('aaaab');
    expect(pausesMs(calls).map((ms) => Math.round(ms))).toEqual([1_000, 2_000, 4_000, 0]);
  });

  it('leaves a target that sends no headers after 10 s, and waits for ever behind headers', async () => {
    const mute = await callsOf(world({ ...FIRST_DEAD, kind: 'silence' }, [0]), PORTKEY_LIKE);
    expect(mute.map(({ target, openedAtMs }) => [target, openedAtMs])).toEqual([
      ['a', 0],
      ['b', 10_000],
    ]);
    const [story] = (await live(world({ ...FIRST_DEAD, kind: 'headers_only' }, [0]), PORTKEY_LIKE)).stories;
    expect(story).toMatchObject({ ending: { ok: false }, settledAtMs: 120_000 });
    expect(story?.calls).toHaveLength(1);
  });
});

describe('a comparison', () => {
  it('is the same for the same seed, and another for another', async () => {
    const few = [UNDERSTUDY, COCKATIEL];
    const [first, again, other] = [
      await figuresOf('two-second-deadlines', 1, few),
      await figuresOf('two-second-deadlines', 1, few),
      await figuresOf('two-second-deadlines', 2, few),
    ];
    expect(again).toEqual(first);
    expect(other.policies).not.toEqual(first.policies);
    const table = tableOf(makeScenario('two-second-deadlines', 1), [first]);
    expect(table.split('\n').filter((line) => line.startsWith('| '))).toHaveLength(2 + few.length);
  });

  it('sees answers that are cut and taken for whole, and the engine gives none', async () => {
    const scenario = firstMinutes(makeScenario('cut-streams', 3), 20);
    for (const rival of RIVALS) {
      const { corrupted } = reckon(scenario, await live(scenario, rival));
      if ([COCKATIEL, LITELLM_LIKE, PORTKEY_LIKE].includes(rival)) expect(corrupted, rival.name).toBeGreaterThan(0);
      else expect(corrupted, rival.name).toBe(0);
    }
  });

  it('counts targets that were well and were left, or held off', async () => {
    const slow = world({ ...FIRST_DEAD, fromMs: 5_000_000, toMs: 5_000_001 }, [0, 60_000, 120_000], {
      timeoutMs: 60_000,
    });
    const crawling = { ...slow, tape: { ...slow.tape, paceMs: { a: 25_000, b: 400 } } };
    // Its headers come after half of the time to the first words: 7.5 to 17.5 s.
    const portkey = reckon(crawling, await live(crawling, PORTKEY_LIKE));
    expect(portkey.leftWell).toBeGreaterThan(0);
    expect(portkey.heldOffWellMs).toBeUndefined();
    const patient = { ...crawling, leastLimitMs: 60_000 };
    expect(reckon(patient, await live(patient, PORTKEY_LIKE))).toMatchObject({ leftWell: 0, success: 1 });
    const rushed = world(FIRST_DEAD, [0, 1_000, 2_000, 3_000]);
    const blames = reckon(rushed, await live(rushed, UNDERSTUDY));
    expect(blames).toMatchObject({ leftWell: 0, heldOffWellMs: 0 });
    const unjustly = { ...rushed, tape: { ...rushed.tape, faults: [] } };
    const history = await live(rushed, UNDERSTUDY);
    expect(heldOffThoughWellMs(unjustly, { ...history, stories: [] })).toBeGreaterThan(1_000);
  });

  it('does not count what its caller ends as a target that was left', async () => {
    const left = world({ ...FIRST_DEAD, fromMs: 500_000 }, [0, 10_000], { cancel: { type: 'after', ms: 700 } });
    for (const rival of RIVALS) expect(reckon(left, await live(left, rival)).leftWell, rival.name).toBe(0);
    const late = world({ ...FIRST_DEAD, fromMs: 500_000 }, [0, 10_000], { timeoutMs: 1_000 });
    for (const rival of [SEED_SCHEDULE, COCKATIEL, LITELLM_LIKE, PORTKEY_LIKE]) {
      expect(reckon(late, await live(late, rival)).leftWell, rival.name).toBe(0);
    }
  });

  it('counts what is paid for and read by nobody', async () => {
    const cut = world({ ...FIRST_DEAD, kind: 'cut_late' }, [0]);
    const whole = world({ ...FIRST_DEAD, fromMs: 500_000 }, [0]);
    expect(reckon(whole, await live(whole, UNDERSTUDY))).toMatchObject({
      success: 1,
      wastedTokens: 0,
      callsPerRequest: 1,
    });
    const account = reckon(cut, await live(cut, UNDERSTUDY_RESTART));
    expect(account).toMatchObject({ success: 1, callsPerRequest: 2, corrupted: 0 });
    // A prompt of 500 and two thirds of an answer of 7 to 17 pieces with 25 tokens each.
    expect(account.wastedTokens).toBeGreaterThan(500 + 4 * 25);
    expect(account.wastedTokens).toBeLessThan(500 + 12 * 25);
  });

  it('shows that targets which answer 503 when they are full do not lose all their circuits to a crowd', async () => {
    const scenario = makeScenario('herd', 1);
    const { failsForMs } = reckon(scenario, await live(scenario, UNDERSTUDY));
    expect(failsForMs).toBeLessThan(30_000);
  });

  it('lets hundreds of requests be under way at a time', async () => {
    const herd = firstMinutes(makeScenario('herd', 1), 3);
    expect((await live(herd, PORTKEY_LIKE)).mostAtATime).toBeGreaterThan(200);
  });
});

describe('an error of a call', () => {
  it('has the status that an HTTP library would show', () => {
    expect(new CallError(failure('overload')).status).toBe(503);
    expect(new CallError(failure('overload', { httpStatus: 529 })).status).toBe(529);
    expect(new CallError(failure('connect')).status).toBeUndefined();
  });
});
