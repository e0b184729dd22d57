import { REASON_STATUS } from '../../../src/core/failure.ts';
import type { AttemptRecord, ChainEntry } from '../../../src/engine/port/call.ts';
import type { Check, Made, Run } from '../facts.ts';
import { heldUpMs, TOLERANCE_MS } from '../facts.ts';
import { mayGoOn, rowOf } from '../model/class-table.ts';
import { hadBegun } from '../model/judge.ts';

/** Time kept back for a later target, at the least and at the most, in milliseconds (engine rule B1). */
const LEAST_NEED_MS = 2_000;
const MOST_NEED_MS = 15_000;

/** Attempts: when they may start, how long they may take, and what is told of them. */
export const ATTEMPT_CHECKS: readonly Check[] = [
  {
    number: 8,
    says: 'no attempt starts at or after the deadline, after a cancel, or behind the end',
    watch: ({ runtime }, fail) => ({
      opened: (run, { call }) => {
        if (runtime.now() >= run.deadlineAtMs - TOLERANCE_MS)
          fail(`run ${run.id} calls ${call.target} at its deadline`);
        if (run.cancelledAtMs !== undefined) fail(`run ${run.id} calls ${call.target} after its cancel`);
        if (run.settledAtMs !== undefined) fail(`run ${run.id} calls ${call.target} after its end`);
        if ((run.asked.timeoutMs ?? 600_000) < 10) fail(`run ${run.id} has too little time for any call`);
      },
    }),
  },
  {
    number: 9,
    says: 'an attempt ends by its hard limit',
    watch: (facts, fail) => ({
      ended: (run, made, record) => {
        const { openedAtMs, closedAtMs = 0 } = made.call;
        const slackMs = heldUpMs(facts, openedAtMs, closedAtMs) + TOLERANCE_MS;
        const late = overrun(run, made, { sliceMs: record.sliceMs, stallMs: facts.config.clientStallMs, slackMs });
        if (late !== undefined) fail(`call ${made.call.id} of run ${run.id} ${late}`);
      },
    }),
  },
  {
    number: 10,
    says: 'a call is closed before its attempt is told to have ended, and no second one runs beside it',
    watch: (_, fail) => ({
      opened: (run, { index }) => {
        const before = run.made[index - 1];
        if (before !== undefined && before.record === undefined) fail(`run ${run.id} has two calls at once`);
      },
      ended: (run, { call }) => {
        if (call.closedBy === undefined) fail(`call ${call.id} of run ${run.id} is still open`);
      },
    }),
  },
  {
    number: 22,
    says: 'nothing is called behind an outcome that ends the chain',
    watch: ({ isForeign }, fail) => ({
      opened: (run, { index }) => {
        const before = run.made[index - 1];
        const failure = before?.record?.failure;
        if (before === undefined || failure === undefined) return;
        // A broken stream begins anew where its caller wants that, and only behind a fault that another target may not have.
        const isBroken = failure.class === 'interrupted';
        const cause = isBroken ? (before.call.error?.class ?? 'silence') : failure.class;
        const goesOn = isBroken ? rowOf(cause).mayGoOn : mayGoOn(failure, isForeign(before.call.target));
        if (isRefusedBehindAnother(run, before)) return;
        if (!goesOn) fail(`run ${run.id} goes on behind ${cause}`);
        if (isBroken && run.asked.onBroken !== 'RESTART') fail(`run ${run.id} goes on behind its broken stream`);
      },
    }),
  },
  {
    number: 22.1,
    says: 'a refusal in unknown words is the request’s fault where every target has refused it, and only there',
    watch: ({ isForeign }, fail) => ({
      settled: (run, result) => {
        const last = run.made.at(-1);
        const failure = last?.record?.failure;
        const isUnheard =
          failure?.class === 'bad_request' && last !== undefined && mayGoOn(failure, isForeign(last.call.target));
        if (result.ok || !isUnheard || result.skipsLeftOut > 0) return;
        const others = run.entries.filter((entry) => !isRefusedBy(result.attempts, entry));
        const { status } = result.failure;
        if (status === 'INVALID_ARGUMENT' && others.length > 0)
          fail(
            `run ${run.id} is told to be wrong, but ${others.map(({ target }) => target).join(' ')} has not said so`,
          );
        // Its time, or its caller, may have ended it in the same moment; of a stream that broke off before, that is told.
        if (
          !run.made.some(hadBegun) &&
          others.length === 0 &&
          !['INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'CANCELLED'].includes(status)
        )
          fail(`run ${run.id} is refused by all, and told ${status}`);
      },
    }),
  },
  {
    number: 22.2,
    says: 'a request that one target has begun to answer is not told to be wrong by another',
    watch: (_facts, fail) => ({
      settled: (run, result) => {
        if (result.ok || result.failure.status !== 'INVALID_ARGUMENT') return;
        const refused = run.made.findLast((made) => isRefusedBehindAnother(run, made));
        if (refused !== undefined) fail(`run ${run.id} is refused with what ${refused.call.target} says of it`);
      },
    }),
  },
  {
    number: 26,
    says: 'every request ends by its deadline, and at once where it is cancelled',
    watch: (facts, fail) => ({
      settled: (run) => {
        const settledAtMs = run.settledAtMs ?? 0;
        const lateMs = settledAtMs - run.deadlineAtMs;
        if (lateMs > heldUpMs(facts, run.startedAtMs, settledAtMs) + TOLERANCE_MS)
          fail(`run ${run.id} ends ${lateMs} ms behind its deadline`);
        if (run.cancelledAtMs !== undefined && run.settledAtMs !== run.cancelledAtMs) {
          fail(`run ${run.id} ends ${(run.settledAtMs ?? 0) - run.cancelledAtMs} ms behind its cancel`);
        }
      },
    }),
  },
  {
    number: 27,
    says: 'the last available target gets all the time that is left; others leave what the rules keep back',
    watch: (_, fail) => ({
      ended: (run, made, { sliceMs }) => {
        const remainingMs = run.deadlineAtMs - made.call.openedAtMs;
        if (sliceMs > remainingMs + TOLERANCE_MS) fail(`run ${run.id} gives ${sliceMs} of ${remainingMs} ms`);
        const wrong = isFirstVisit(run, made) ? wrongSlice(run, made, sliceMs, remainingMs) : undefined;
        if (wrong !== undefined) fail(`run ${run.id}, call ${made.call.id}: ${wrong}`);
      },
    }),
  },
  {
    number: 35,
    says: 'the trail tells the calls as the upstreams saw them',
    watch: (_, fail) => ({
      settled: (run, result) => {
        const told = result.attempts.filter(({ kind }) => kind !== 'SKIPPED');
        const tale = told.map(({ entry, startedAfterMs }) => `${entry.target}@${startedAfterMs.toFixed(3)}`).join(' ');
        const truth = run.made
          .map(({ call }) => `${call.target}@${(call.openedAtMs - run.startedAtMs).toFixed(3)}`)
          .join(' ');
        if (tale !== truth) fail(`run ${run.id} tells ${tale} of ${truth}`);
        if (result.attempts.some(({ number }, index) => number !== index + 1)) fail(`run ${run.id} counts wrongly`);
        for (const [index, { record }] of run.made.entries()) {
          if (record !== told[index]) fail(`run ${run.id} tells another end of attempt ${index}`);
        }
        if (!result.ok) return;
        const last = told.at(-1);
        if (result.serving.number !== last?.number || result.serving.target !== last.entry.target) {
          fail(`run ${run.id} is served by ${last?.entry.target}, but names ${result.serving.target}`);
        }
      },
    }),
  },
];

/** Whether a call was refused although another one before it had begun to be answered (classes C12 and C14). */
function isRefusedBehindAnother(run: Run, { index, record }: Made): boolean {
  const refusal = record?.failure?.class;
  return (refusal === 'bad_request' || refusal === 'content') && run.made.slice(0, index).some(hadBegun);
}

/** Whether the last word of a target, or what is known of it, is that the request is wrong. */
function isRefusedBy(attempts: readonly AttemptRecord[], entry: ChainEntry): boolean {
  const told = attempts.filter((attempt) => attempt.entry === entry);
  const last = told.findLast(({ kind }) => kind !== 'SKIPPED') ?? told.at(-1);
  return last?.failure !== undefined && REASON_STATUS[last.failure.reason] === 'INVALID_ARGUMENT';
}

interface Limits {
  readonly sliceMs: number;
  readonly stallMs: number;
  /** So much later things may happen. */
  readonly slackMs: number;
}

function overrun(run: Run, { call, blame }: Made, { sliceMs, stallMs, slackMs }: Limits): string | undefined {
  const closedAtMs = call.closedAtMs ?? Number.POSITIVE_INFINITY;
  if (closedAtMs > run.deadlineAtMs + slackMs) return 'outlives its deadline';
  if (call.pausedAtMs !== undefined && closedAtMs - call.pausedAtMs > stallMs + slackMs) {
    return 'waits too long for its reader';
  }
  if (call.firstOutputAtMs === undefined) {
    const waitedMs = closedAtMs - call.openedAtMs;
    if (waitedMs > sliceMs + slackMs) return `is silent for ${waitedMs} ms in a slice of ${sliceMs}`;
    return waitedMs > blame.limitMs + slackMs ? `is silent for ${waitedMs} ms, limit ${blame.limitMs}` : undefined;
  }
  if (call.sawTerminal) {
    return closedAtMs - call.progressAtMs > 4_000 + slackMs ? 'lingers behind its terminal marker' : undefined;
  }
  const idleMs = closedAtMs - call.progressAtMs;
  const isIdle = call.pausedAtMs === undefined && idleMs > call.timing.progressMs + slackMs;
  return isIdle ? `makes no progress for ${idleMs} ms` : undefined;
}

/** Whether the call is the first to its target, and none before it went to a later entry: the first way down the chain. */
function isFirstVisit(run: Run, { call, index }: Made): boolean {
  const position = run.entries.indexOf(call.entry);
  // Behind a wait another round may have begun, with an order of its own.
  const hasWaited = run.made
    .slice(1, index + 1)
    .some((made, before) => made.call.openedAtMs !== run.made[before]?.call.closedAtMs);
  // One that was not free all along may have had its turn before: then this is another round.
  const wasFree = run.made.slice(0, index).every(({ others }) => others.includes(call.entry));
  if (hasWaited || !wasFree) return false;
  return run.made.slice(0, index).every((before) => run.entries.indexOf(before.call.entry) < position);
}

function wrongSlice(run: Run, made: Made, sliceMs: number, remainingMs: number): string | undefined {
  const position = run.entries.indexOf(made.call.entry);
  const later = (entries: Made['others']): number =>
    entries.filter((entry) => run.entries.indexOf(entry) > position).length;
  if (later(made.mayBeOthers) === 0) {
    return Math.abs(sliceMs - remainingMs) > TOLERANCE_MS ? `${sliceMs} ms for the last of ${remainingMs}` : undefined;
  }
  const kept = Math.min(2, later(made.others));
  const least = Math.max(run.minAttemptMs, remainingMs / 2);
  const most = kept === 0 ? remainingMs : Math.max(least, remainingMs - kept * LEAST_NEED_MS);
  if (sliceMs > most + TOLERANCE_MS) return `a slice of ${sliceMs} ms keeps less back than ${kept} others need`;
  const keptAtMost = Math.min(2, later(made.mayBeOthers)) * MOST_NEED_MS;
  const floor = Math.min(remainingMs, Math.max(least, remainingMs - keptAtMost));
  return sliceMs < floor - TOLERANCE_MS ? `a slice of ${sliceMs} ms is less than ${floor}` : undefined;
}
