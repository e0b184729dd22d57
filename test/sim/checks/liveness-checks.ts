import type { Failure } from '../../../src/core/failure.ts';
import type { AttemptRecord, CallResult } from '../../../src/engine/port/call.ts';
import type { Check, Facts, Run } from '../facts.ts';
import { heldUpMs, TOLERANCE_MS } from '../facts.ts';
import { mayGoOn } from '../model/class-table.ts';
import type { CallFacts } from '../sim-call.ts';

/** When faults have stopped, all is as before after so many milliseconds. */
const STEADY_AFTER_MS = 60_000;

/** A target that may be asked again has its turn within 10 s, and a probe decides within 5 s of its first output. */
const TURN_WITHIN_MS = 10_000;
const DECIDED_WITHIN_MS = 1_000 + 5_000;

/** What must come about: recovery, and the use of every target that could serve. */
export const LIVENESS_CHECKS: readonly Check[] = [
  {
    number: 32,
    says: 'when faults have stopped, every target serves again, every request succeeds, and each takes one call',
    watch: ({ health, tape }, fail) => ({
      settled: (run, result) => {
        if (!run.isCalm) return;
        if (!result.ok) fail(`run ${run.id} fails in the calm: ${result.failure.reason}`);
        const isSecondTurn = run.asked.id >= 1_000_000 + run.entries.length;
        if (isSecondTurn && (run.made.length !== 1 || run.made[0]?.call.entry !== run.entries[0])) {
          fail(`run ${run.id} takes ${run.made.length} calls in the calm, the first of ${run.made[0]?.call.target}`);
        }
      },
      quiet: () => {
        if (tape.drainAtMs !== undefined) return;
        for (const { target, circuit, available } of health()) {
          if (circuit !== 'CLOSED' || !available) fail(`${target} is ${circuit} when all is calm`);
        }
      },
    }),
  },
  {
    number: 32.1,
    says: 'under load that goes on with callers who try again, circuits close soon and a minute later all is as before',
    watch: (facts, fail) => {
      const { config, cooldownOf, breakers, health, runtime, tape } = facts;
      const probedWithinMs = TURN_WITHIN_MS * config.circuitBreaker.probes + DECIDED_WITHIN_MS;
      const steady: Run[] = [];
      const isDue = new Map<string, number>();
      return {
        asked: (run) => {
          if (run.asked.id < 100_000 || run.isCalm) return;
          if (runtime.now() >= tape.calmFromMs + STEADY_AFTER_MS) steady.push(run);
          for (const target of tape.targets) {
            // What was begun before the calm may open a circuit in it.
            const heldUntilMs = cooldownOf(target).mayHoldUntilMs(`${target}-model`);
            const { probes, reopensAtMs } = breakers.own(target);
            // A probe from before the calm, or one whose caller does not read, takes its time (K6, K7).
            const isSlow = probes.some((probe) => probe.openedAtMs < tape.calmFromMs || hasPaused(probe));
            const askedFromMs = Math.max(tape.calmFromMs, heldUntilMs, reopensAtMs, isSlow ? runtime.now() : 0);
            isDue.set(target, Math.max(isDue.get(target) ?? 0, askedFromMs + probedWithinMs));
          }
        },
        settled: (run, result) => {
          if (run.asked.id < 100_000 || run.isCalm) return;
          if (steady.includes(run) && !result.ok)
            fail(`run ${run.id} fails in the aftermath: ${result.failure.reason}`);
          for (const { target, circuits } of health()) {
            // Nobody may ask any more for a model that only callers named.
            const circuit = circuits.find(({ model }) => model === `${target}-model`)?.state ?? 'CLOSED';
            const { probes, reopensAtMs } = breakers.own(target);
            // What was begun before the calm may have opened it just now.
            const askedAtMs = Math.max(reopensAtMs, ...probes.map((probe) => probe.openedAtMs));
            const dueAtMs = Math.max(isDue.get(target) ?? Number.POSITIVE_INFINITY, askedAtMs + probedWithinMs);
            const slackMs = heldUpMs(facts, tape.calmFromMs, runtime.now());
            if (runtime.now() > dueAtMs + slackMs && circuit !== 'CLOSED')
              fail(`${target} is still ${circuit} in the aftermath`);
          }
        },
        quiet: () => {
          const calls = steady.reduce((sum, { made }) => sum + made.length, 0);
          if (calls > 1.05 * steady.length) fail(`${steady.length} requests take ${calls} calls in the aftermath`);
        },
      };
    },
  },
  {
    number: 33,
    says: 'a target is passed over only for a reason, and a request does not fail while one that could serve was not asked',
    watch: (facts, fail) => ({
      settled: (run, result) => {
        for (const record of result.attempts) {
          if (record.kind === 'SKIPPED' && !isExplained(facts, run, record)) {
            const { entry, failure, startedAfterMs } = record;
            fail(`run ${run.id} passes ${entry.target} over after ${startedAfterMs} ms: ${failure?.reason}`);
          }
        }
        const missed = result.ok ? undefined : missedTarget(facts, run, result);
        if (missed !== undefined) fail(`run ${run.id} fails, but ${missed} was not asked`);
      },
    }),
  },
];

function hasPaused({ pausedMs, pausedAtMs }: CallFacts): boolean {
  return pausedMs > 0 || pausedAtMs !== undefined;
}

function isExplained(
  { breakers, cooldownOf, slots }: Facts,
  run: Run,
  { entry, failure, startedAfterMs }: AttemptRecord,
): boolean {
  const atMs = run.startedAtMs + startedAfterMs;
  if (failure === undefined) return false;
  if (failure.reason === 'CIRCUIT_OPEN') return breakers.of(entry).breaker.wasNotClosedAt(atMs);
  if (failure.reason === 'OVERLOADED') return slots.get(entry.target)?.wasFullAt(atMs) ?? false;
  if (failure.reason === 'CONTEXT_LENGTH_EXCEEDED') return run.asked.refusedAs === 'capability';
  if (failure.reason === 'DEADLINE') return run.made.some(({ call }) => (call.closedAtMs ?? 0) <= atMs + TOLERANCE_MS);
  return cooldownOf(entry.target).explains(failure.reason, entry.model, atMs);
}

/** Whether a target has refused the request for good. */
function isLastWord(failure: Failure, isForeign: boolean): boolean {
  return failure.class === 'bad_request' && !mayGoOn(failure, isForeign);
}

type Failed = Extract<CallResult<string, string>, { ok: false }>;

function missedTarget(
  { breakers, config, cooldownOf, drainedAtMs, isForeign, slots }: Facts,
  run: Run,
  { attempts, failure }: Failed,
): string | undefined {
  const settledAtMs = run.settledAtMs ?? 0;
  const isDecided =
    run.cancelledAtMs !== undefined ||
    run.asked.refusedAs !== undefined ||
    (run.asked.timeoutMs ?? 600_000) < 10 ||
    // What the provider itself refuses is the caller's mistake, whatever its words (class C12).
    run.made.some(
      ({ call, record }) => record?.failure !== undefined && isLastWord(record.failure, isForeign(call.target)),
    ) ||
    failure.reason === 'INTERNAL' ||
    (failure.reason === 'OVERLOADED' && run.made.length === 0) ||
    // Where an answer broke off, repeats and time decide whether another is begun.
    run.made.some(({ call }) => call.texts.length > 0) ||
    run.deadlineAtMs - settledAtMs < run.minAttemptMs + TOLERANCE_MS;
  if (isDecided || drainedAtMs !== undefined) return undefined;
  // Without rounds a turn that has passed does not come back.
  const hasRounds = config.retry.order !== 'EXHAUST_FIRST';
  const missed = run.entries.find(
    ({ target, model, circuit }) =>
      (hasRounds || !attempts.some(({ entry }) => entry.target === target)) &&
      !run.made.some(({ call }) => call.target === target) &&
      !breakers.of({ target, model, circuit }).breaker.wasNotClosedAt(settledAtMs) &&
      slots.get(target)?.wasFullAt(settledAtMs) === false &&
      cooldownOf(target).mayHoldUntilMs(model) <= settledAtMs,
  );
  return missed?.target;
}
