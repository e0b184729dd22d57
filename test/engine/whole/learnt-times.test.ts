import { describe, expect, it } from 'vitest';

import type { AskOptions, EngineHarness } from '../../support/engine-harness.ts';
import { createEngineHarness, trailOf } from '../../support/engine-harness.ts';
import { answer, SILENCE } from '../../support/upstream-scripts.ts';

const STREAM = { streams: true } as const;
const HURRIED = { timeoutMs: 2_000, timing: STREAM };
const PATIENT = { timeoutMs: 60_000, timing: STREAM };

/** An engine whose target `a` has answered twenty times after so many milliseconds, and `b` as well, after ten. */
async function practised(eachMs: number, options: AskOptions = PATIENT): Promise<EngineHarness> {
  const harness = createEngineHarness(['a', 'b']);
  harness.upstream.always('a', answer(eachMs, 'from a'));
  harness.upstream.always('b', answer(10, 'from b'));
  for (let call = 0; call < 20; call++) await harness.run(['a'], options);
  return harness;
}

/** Lets one request come every three seconds, with `a` answering as `msAt` says: milliseconds, or undefined for silence. */
async function everyThreeSeconds(
  { run, runtime, upstream }: EngineHarness,
  requests: number,
  msAt: (sinceMs: number) => number | undefined,
  options: AskOptions,
): Promise<string[]> {
  const beganAtMs = runtime.now();
  const served: string[] = [];
  for (let request = 0; request < requests; request++) {
    const ms = msAt(request * 3_000);
    upstream.always('a', ms === undefined ? SILENCE : answer(ms, 'from a'));
    const result = await run(['a', 'b'], options);
    served.push(result.ok ? result.serving.target : 'none');
    await runtime.advance(Math.max(0, beganAtMs + (request + 1) * 3_000 - runtime.now()));
  }
  return served;
}

describe('a target that has answered twenty calls in 0.3 s and falls silent', () => {
  it('is left after about a second by a call of two, and to blame, so that five of them open its circuit', async () => {
    const { run, upstream, health } = await practised(300);
    upstream.always('a', SILENCE);
    for (let call = 0; call < 5; call++) {
      const result = await run(['a', 'b'], HURRIED);
      expect(trailOf(result)).toEqual(['FIRST a silence', 'FAILOVER b ok']);
      expect(result.elapsedMs).toBeCloseTo(940);
    }
    expect(health('a')).toMatchObject({ circuit: 'OPEN', failures: 5 });
    const result = await run(['a', 'b'], HURRIED);
    expect([trailOf(result).at(-1), result.elapsedMs]).toEqual(['FIRST b ok', 10]);
  });

  it('is left as soon by who has a minute', async () => {
    const { run, upstream } = await practised(300);
    upstream.always('a', SILENCE);
    expect((await run(['a', 'b'], PATIENT)).elapsedMs).toBeCloseTo(940);
  });

  it('is asked by nobody but a probe every 30 s, however long it stays silent and however little time its callers have', async () => {
    for (const timeoutMs of [2_000, 8_000, 60_000]) {
      const harness = await practised(300);
      const before = harness.upstream.calls.length;
      const served = await everyThreeSeconds(harness, 400, () => undefined, { ...PATIENT, timeoutMs });
      expect(new Set(served)).toEqual(new Set(['b']));
      const asked = harness.upstream.calls.slice(before).filter((target) => target === 'a').length;
      expect(asked).toBeLessThanOrEqual(5 + 40);
    }
  });
});

describe('a target that has answered twenty calls in 0.6 s and falls silent', () => {
  it('is to blame from the third call of two seconds in a row on', async () => {
    const { run, upstream, health } = await practised(600);
    upstream.always('a', SILENCE);
    const trails: string[] = [];
    for (let call = 0; call < 7; call++) {
      const result = await run(['a', 'b'], HURRIED);
      expect(result.elapsedMs).toBe(975);
      trails.push(trailOf(result)[0] ?? '');
    }
    expect(trails).toEqual(['FIRST a cut_short', 'FIRST a cut_short', ...Array<string>(5).fill('FIRST a silence')]);
    expect(health('a')).toMatchObject({ circuit: 'OPEN', failures: 5 });
  });

  it('is not, where anybody has heard of it in between', async () => {
    const { ask, run, runtime, upstream, health } = await practised(600);
    for (let call = 0; call < 10; call++) {
      upstream.script('a', SILENCE, answer(500, 'from a'));
      const silent = ask(['a', 'b'], HURRIED);
      await runtime.advance(900);
      expect((await run(['a', 'b'], PATIENT)).ok).toBe(true);
      await silent.result;
    }
    expect(health('a')).toMatchObject({ circuit: 'CLOSED', failures: 0 });
  });

  it('is not for one pause of a second, however many callers saw it', async () => {
    const { ask, runtime, upstream, health } = await practised(600);
    upstream.always('a', SILENCE);
    const asked = Array.from({ length: 50 }, () => ask(['a', 'b'], HURRIED));
    await runtime.advance(2_000);
    await Promise.all(asked.map(({ result }) => result));
    expect(health('a')).toMatchObject({ circuit: 'CLOSED', failures: 0 });
  });
});

describe('a target that becomes slower', () => {
  it('three times is neither cut nor blamed, whatever time its callers have', async () => {
    for (const options of [HURRIED, { ...HURRIED, timeoutMs: 8_000 }, PATIENT]) {
      const harness = await practised(300);
      const served = await everyThreeSeconds(harness, 20, () => 900, options);
      expect(new Set(served)).toEqual(new Set(['a']));
      expect(harness.health('a')).toMatchObject({ circuit: 'CLOSED', failures: 0 });
    }
  });

  it('from 0.4 to 6 s in ten minutes is never blamed', async () => {
    for (const timeoutMs of [2_000, 8_000, 20_000, 60_000]) {
      const harness = await practised(400);
      const drift = (sinceMs: number): number => 400 + (5_600 * sinceMs) / 600_000;
      const served = await everyThreeSeconds(harness, 200, drift, { ...PATIENT, timeoutMs });
      expect(harness.health('a')).toMatchObject({ circuit: 'CLOSED', failures: 0 });
      expect(served).not.toContain('none');
      if (timeoutMs >= 20_000) expect(served).not.toContain('b');
    }
  });

  it('five times and for good has its traffic again within two minutes, and keeps it', async () => {
    const harness = await practised(300);
    const served = await everyThreeSeconds(harness, 100, () => 1_500, PATIENT);
    expect(served.slice(0, 5)).toEqual(Array(5).fill('b'));
    expect(new Set(served.slice(40))).toEqual(new Set(['a']));
  });
});

describe('what is known', () => {
  it('is nothing at first: a call of two seconds is answered by the next target in time, and nobody is blamed', async () => {
    const { run, upstream, health } = createEngineHarness(['a', 'b']);
    upstream.always('a', SILENCE);
    upstream.always('b', answer(300, 'from b'));
    for (let call = 0; call < 10; call++) {
      const result = await run(['a', 'b'], HURRIED);
      expect(trailOf(result)).toEqual(['FIRST a cut_short', 'FAILOVER b ok']);
      expect(result.elapsedMs).toBe(1_265);
    }
    expect(health('a')).toMatchObject({ circuit: 'CLOSED', failures: 0 });
  });

  it('never cuts a model short that thinks for a minute and a half', async () => {
    const { ask, run, runtime, upstream } = createEngineHarness(['a', 'b']);
    const timing = { streams: true, mayThink: true, firstOutputMs: 120_000 };
    upstream.always('a', answer(90_000, 'at last'));
    const asked = Array.from({ length: 20 }, () => ask(['a'], { timing }));
    await runtime.advance(90_000);
    await Promise.all(asked.map(({ result }) => result));
    upstream.always('a', answer(130_000, 'at very last'));
    expect(trailOf(await run(['a', 'b'], { timing }))).toEqual(['FIRST a ok']);
  });

  it('of short prompts is not held against long ones', async () => {
    const { run, upstream } = await practised(300);
    upstream.always('a', answer(8_000, 'read it all'));
    const timing = { streams: true, promptTokens: 100_000, promptMs: 10_000 };
    expect(trailOf(await run(['a', 'b'], { timing }))).toEqual(['FIRST a ok']);
  });

  it('of the next target leaves the first the time that is not needed there', async () => {
    const { run } = await practised(300);
    const first = async (): Promise<number | undefined> => (await run(['a', 'b'], PATIENT)).attempts[0]?.sliceMs;
    expect(await first()).toBe(49_350);
    for (let call = 0; call < 20; call++) await run(['b'], PATIENT);
    expect(await first()).toBe(57_350);
  });
});
