import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { FailureClass } from '../../../src/core/failure.ts';
import { CLASS_RULES } from '../../../src/core/failure.ts';
import type { AttemptRecord, CallResult, Recovery } from '../../../src/engine/port/call.ts';
import type { RetryOrder } from '../../../src/engine/port/config.ts';
import type { EngineHarness } from '../../support/engine-harness.ts';
import { createEngineHarness } from '../../support/engine-harness.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import type { Script } from '../../support/upstream-scripts.ts';
import { answer, breaksAfter, failure, fails, keepAlives, SILENCE } from '../../support/upstream-scripts.ts';

const TARGETS = ['a', 'b', 'c', 'd'];

/** Classes that an upstream call can end with. */
const CLASSES = (Object.keys(CLASS_RULES) as FailureClass[]).filter(
  (name) => !['client_cancel', 'slow_reader', 'local_refusal', 'cut_short', 'interrupted', 'budget'].includes(name),
);

const failureClass = fc.constantFrom(...CLASSES);
const script: fc.Arbitrary<Script> = fc.oneof(
  { weight: 2, arbitrary: fc.nat(3_000).map((ms) => answer(ms, 'whole ', 'answer')) },
  { weight: 1, arbitrary: fc.constant(SILENCE) },
  { weight: 1, arbitrary: fc.integer({ min: 100, max: 9_000 }).map((ms) => keepAlives(ms, 60)) },
  {
    weight: 5,
    arbitrary: fc
      .tuple(failureClass, fc.option(fc.constantFrom(0, 400, 1_900, 5_000, 45_000), { nil: undefined }), fc.nat(2_000))
      .map(([name, retryAfterMs, ms]) => fails(name, { retryAfterMs }, ms)),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(failureClass, fc.nat(500)).map(([name, ms]) => breaksAfter(['whole ', 'ans'], name, ms)),
  },
);

const request = fc.record({
  startAfterMs: fc.nat(20_000),
  chain: fc.shuffledSubarray(TARGETS, { minLength: 1 }),
  timeoutMs: fc.constantFrom(50, 900, 5_000, 30_000, 120_000),
  cancelAfterMs: fc.option(fc.nat(10_000), { nil: undefined, freq: 4 }),
  streams: fc.boolean(),
  recovery: fc.constantFrom<Recovery>('FAIL', 'RESTART'),
});

const world = fc.record({
  order: fc.constantFrom<RetryOrder>('SAME_THEN_NEXT', 'NEXT_FIRST'),
  maxRepeats: fc.nat(4),
  jitter: fc.constantFrom<'FULL' | 'NONE'>('FULL', 'NONE'),
  seed: fc.integer({ min: 1, max: 1_000 }),
  standing: fc.array(script, { minLength: TARGETS.length, maxLength: TARGETS.length }),
  queued: fc.array(fc.array(script, { maxLength: 5 }), { minLength: TARGETS.length, maxLength: TARGETS.length }),
  requests: fc.array(request, { minLength: 1, maxLength: 5 }),
});

type World = typeof world extends fc.Arbitrary<infer Type> ? Type : never;

interface Ended {
  readonly asked: World['requests'][number];
  readonly result: CallResult<string, string>;
  readonly client: RecordingClient;
  readonly startedAtMs: number;
}

/** Runs all requests of a world side by side to their ends. */
async function live({
  order,
  maxRepeats,
  jitter,
  seed,
  standing,
  queued,
  requests,
}: World): Promise<readonly [EngineHarness, Ended[]]> {
  const harness = createEngineHarness(TARGETS, { retry: { order, maxRepeats, jitter }, seed });
  const { runtime, upstream } = harness;
  for (const [index, target] of TARGETS.entries()) {
    upstream.always(target, standing[index] ?? SILENCE);
    upstream.script(target, ...(queued[index] ?? []));
  }
  const ended: Ended[] = [];
  for (const asked of requests) {
    const client = new RecordingClient(runtime);
    runtime.setTimer(asked.startAfterMs, () => {
      const startedAtMs = runtime.now();
      const { result, cancel } = harness.ask(asked.chain, {
        timeoutMs: asked.timeoutMs,
        ...(asked.streams && { client, recovery: asked.recovery }),
      });
      void result.then((value) => ended.push({ asked, result: value, client, startedAtMs }));
      const { cancelAfterMs } = asked;
      if (cancelAfterMs !== undefined) runtime.setTimer(cancelAfterMs, cancel);
    });
  }
  await runtime.runUntilIdle();
  return [harness, ended];
}

/** What must hold for one request, whatever happens to it. */
function check({ asked, result, client, startedAtMs }: Ended, maxRepeats: number): void {
  const attempts = result.attempts.filter(({ kind }) => kind !== 'SKIPPED');
  const totalMs = asked.timeoutMs - Math.min(50, asked.timeoutMs * 0.05);
  expect(result.elapsedMs).toBeLessThanOrEqual(totalMs + 1e-6);
  if (asked.cancelAfterMs !== undefined) expect(result.elapsedMs).toBeLessThanOrEqual(Math.max(asked.cancelAfterMs, 0));

  const replaced = attempts.filter(
    ({ entry }, index) =>
      attempts[index - 1]?.failure?.class === 'stale_socket' && attempts[index - 1]?.entry === entry,
  );
  const distinct = new Set(attempts.map(({ entry }) => entry));
  expect(attempts.length - distinct.size - replaced.length).toBeLessThanOrEqual(maxRepeats);

  for (const [index, attempt] of attempts.entries()) {
    const { failure: failed } = attempt;
    expect(attempt.sliceMs).toBeLessThanOrEqual(totalMs - attempt.startedAfterMs + 1e-6);
    expect(attempt.startedAfterMs).toBeLessThan(totalMs);
    const isLast = index === attempts.length - 1;
    if (failed === undefined) expect(isLast && result.ok).toBe(true);
    else if (failed.class === 'interrupted' && asked.recovery === 'RESTART') expect(asked.streams).toBe(true);
    else if (CLASS_RULES[failed.class].nextTarget === 'no') expect(isLast && !result.ok).toBe(true);
    const wasBroken = attempts[index - 1]?.failure?.class === 'interrupted';
    expect(wasBroken).toBe(attempt.kind === 'RESTART' || (wasBroken && attempt.kind === 'PROBE'));
  }
  expect(result.attempts.map(({ number }) => number)).toEqual(result.attempts.map((_, index) => index + 1));

  if (asked.streams) {
    checkStream(client, attempts);
    for (const at of client.pings) expect(at - startedAtMs).toBeGreaterThanOrEqual(15_000);
  }
  if (result.ok) {
    expect(asked.streams ? client.text : result.outputs.join('')).toBe('whole answer');
    expect(result.serving).toMatchObject({ target: attempts.at(-1)?.entry.target, number: attempts.at(-1)?.number });
  } else if (attempts.every(({ failure: failed }) => failed?.neverSent === true)) {
    expect(result.failure.contacted).toBe(false);
  }
}

/** Every beginning that the client hears of is an attempt that spoke, and what it hears until the next is of that one alone. */
function checkStream({ notes }: RecordingClient, attempts: readonly AttemptRecord[]): void {
  const beginnings = notes.filter((note) => note.what === 'started' || note.what === 'restarted');
  const spoke = attempts.filter(({ firstOutputMs }) => firstOutputMs !== undefined);
  expect(beginnings.map(({ serving }) => serving.number)).toEqual(spoke.map(({ number }) => number));
  expect(beginnings.map(({ what }) => what)).toEqual(spoke.map((_, index) => (index === 0 ? 'started' : 'restarted')));
  let text = '';
  for (const note of notes) {
    if (note.what === 'output') text += note.text;
    else if (note.what !== 'ping') text = '';
    expect('whole answer'.startsWith(text)).toBe(true);
  }
}

describe('whatever the upstreams do', () => {
  it('every request ends in time, as its trail says, and leaves nothing behind', async () => {
    let successes = 0;
    await fc.assert(
      fc.asyncProperty(world, async (one) => {
        const [{ runtime, upstream, engine }, ended] = await live(one);
        expect(ended).toHaveLength(one.requests.length);
        for (const each of ended) check(each, one.maxRepeats);
        expect(runtime.pendingTimers()).toBe(0);
        expect(upstream.openCalls()).toBe(0);
        expect(engine.health().map(({ inFlight }) => inFlight)).toEqual([0, 0, 0, 0]);
        const told = ended.flatMap(({ result, startedAtMs }) =>
          result.attempts
            .filter(({ kind }) => kind !== 'SKIPPED')
            .map(({ entry, startedAfterMs }) => `${entry.target} ${(startedAtMs + startedAfterMs).toFixed(3)}`),
        );
        const made = upstream.notes
          .filter(({ what }) => what === 'open')
          .map(({ target, atMs }) => `${target} ${atMs.toFixed(3)}`);
        expect(told.toSorted()).toEqual(made.toSorted());
        successes += ended.filter(({ result }) => result.ok).length;
      }),
      { numRuns: 150, seed: 5 },
    );
    expect(successes).toBeGreaterThan(50);
  });

  it('the same seed gives the same history', async () => {
    await fc.assert(
      fc.asyncProperty(world, async (one) => {
        const [first] = await live(one);
        const [second] = await live(one);
        expect(second.upstream.notes).toEqual(first.upstream.notes);
        expect(second.ended).toEqual(first.ended);
      }),
      { numRuns: 20, seed: 6 },
    );
  });

  it('a target that answers is reached, unless the request itself is at fault', async () => {
    const sick = failureClass.filter((name) => CLASS_RULES[name].nextTarget === 'yes' && name !== 'internal');
    await fc.assert(
      fc.asyncProperty(
        fc.array(sick, { maxLength: 3 }),
        fc.constantFrom<RetryOrder>('SAME_THEN_NEXT', 'NEXT_FIRST'),
        async (classes, order) => {
          const { run, upstream } = createEngineHarness([...TARGETS], { retry: { order, jitter: 'FULL' } });
          for (const [index, name] of classes.entries()) upstream.always(TARGETS[index] ?? '', fails(name));
          const well = TARGETS[classes.length] ?? 'd';
          upstream.always(well, answer(100, 'there'));
          const result = await run([...TARGETS.slice(0, classes.length), well]);
          expect(result.ok && result.serving.target).toBe(well);
          expect(upstream.openedAt(well)).toHaveLength(1);
        },
      ),
      { numRuns: 100, seed: 7 },
    );
  });
});

describe('a call that a rate limit has sent away', () => {
  it('comes back no earlier than the provider asked, whoever makes it', async () => {
    await fc.assert(
      fc.asyncProperty(world, fc.integer({ min: 100, max: 28_000 }), async (one, retryAfterMs) => {
        const limit: Script = [
          { afterMs: 5, event: { type: 'error', failure: failure('rate_limit', { retryAfterMs }) } },
        ];
        const standing = one.standing.map((each, index) => (index === 0 ? limit : each));
        const [{ upstream }, ended] = await live({
          ...one,
          standing,
          queued: one.queued.map((each, index) => (index === 0 ? [] : each)),
        });
        const ends = ended.flatMap(({ result, startedAtMs }) =>
          result.attempts
            .filter(({ entry, failure: failed }) => entry.target === 'a' && failed?.class === 'rate_limit')
            .map(({ startedAfterMs, durationMs }) => startedAtMs + startedAfterMs + durationMs),
        );
        for (const openedAt of upstream.openedAt('a')) {
          for (const endedAt of ends) {
            if (openedAt > endedAt) expect(openedAt).toBeGreaterThanOrEqual(endedAt + retryAfterMs);
          }
        }
      }),
      { numRuns: 60, seed: 8 },
    );
  });
});
