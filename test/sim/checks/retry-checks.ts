import type { ChainEntry } from '../../../src/engine/port/call.ts';
import type { RetryConfig } from '../../../src/engine/port/config.ts';
import type { Check, Facts, Made, Run } from '../facts.ts';
import { heldUpMs, TOLERANCE_MS } from '../facts.ts';
import { rowOf } from '../model/class-table.ts';
import { isBrokenBehindHead, isFreeOfCharge, isRewritten } from '../model/judge.ts';

/** No wait before a round is longer, in milliseconds. */
const LONGEST_WAIT_MS = 30_000;

/** Ceiling of the wait before a repeat within a visit, where another target is free, in milliseconds (R5). */
const NEXT_TO_ANOTHER_MS = 250;

/** So much of the time of a request is left besides the least attempt by the wait before a round, in milliseconds (R5). */
const LATE_TIMER_MS = 50;

/** Longest time that an answer is thought to need, in milliseconds (engine rule B1). */
const LONGEST_NEED_MS = 15_000;

/** Repeats: how many, on what, in which order, and after which waits (engine rules B3, R3 to R5). */
export const RETRY_CHECKS: readonly Check[] = [
  {
    number: 13,
    says: 'repeats stay within the bound of a request, and every available target has its turn before any has a second',
    watch: ({ config: { retry } }, fail) => ({
      opened: (run, made) => {
        const repeats = run.made.filter((each) => isRepeat(run, each) || isRestart(run, each));
        const own = repeats.filter((each) => each.call.entry === made.call.entry && isRepeat(run, each)).length;
        const isOver =
          retry.order === 'EXHAUST_FIRST' ? own > retry.backoffMs.length : repeats.length > retry.maxRepeats;
        if (isOver) fail(`run ${run.id} makes ${repeats.length} repeats`);
        if (retry.order === 'EXHAUST_FIRST' || !isRevisit(run, made)) return;
        const left = freeInRound(run, made).filter((entry) => !run.made.some(({ call }) => call.entry === entry));
        if (left.length > 0 && run.asked.refusedAs === undefined && isTimeEnough(run, made)) {
          fail(`run ${run.id} comes back to ${made.call.target} before ${left.map(({ target }) => target).join(' ')}`);
        }
      },
    }),
  },
  {
    number: 13.1,
    says: 'behind what hardly ever heals, and answers in JSON that broke off behind their heads, a request makes one repeat in all',
    watch: (_facts, fail) => ({
      opened: (run, made) => {
        const repeats = run.made.filter((each) => isRepeat(run, each) && isBehindWhatHardlyHeals(run, each));
        if (repeats.length > 1 && repeats.includes(made)) fail(`run ${run.id} makes ${repeats.length} of them`);
      },
    }),
  },
  {
    number: 14,
    says: 'targets are visited in the order of the chain',
    watch: ({ runtime }, fail) => ({
      opened: (run, made) => {
        const position = run.entries.indexOf(made.call.entry);
        const visited = new Set(run.made.slice(0, made.index).map(({ call }) => call.entry));
        if (visited.has(made.call.entry)) return;
        // One that comes earlier, was free all the while, and was passed over.
        const passed = made.others.find((entry) => run.entries.indexOf(entry) < position && !visited.has(entry));
        const isFirst = made.index === 0 && runtime.now() === run.startedAtMs;
        if (passed !== undefined && isFirst) fail(`run ${run.id} calls ${made.call.target} before ${passed.target}`);
      },
    }),
  },
  {
    number: 14.1,
    says: 'a target is asked again only as its class allows',
    watch: (facts, fail) => ({
      opened: (run, made) => {
        const wrong = wrongRepeat(facts, run, made);
        if (wrong !== undefined) fail(`run ${run.id}, call ${made.call.id} of ${made.call.target}: ${wrong}`);
      },
    }),
  },
  {
    number: 14.2,
    says: 'what was only written wrongly is sent to the same target at once, before any other is asked',
    watch: (facts, fail) => ({
      opened: (run, made) => {
        const before = run.made[made.index - 1];
        if (before?.call.error?.quirk === undefined || isRewritten(run, made)) return;
        if (mayBeRewritten(facts, run, before))
          fail(`run ${run.id} leaves ${before.call.target} for ${made.call.target}`);
      },
    }),
  },
  {
    number: 25,
    says: 'waits lie between nothing and their ceilings, and are the ceilings without jitter',
    watch: (facts, fail) => ({
      opened: (run, made) => {
        const wrong = wrongWait(facts, run, made);
        if (wrong !== undefined) fail(`run ${run.id}, call ${made.call.id} of ${made.call.target}: ${wrong}`);
      },
      ended: (run, made, { waitBeforeMs }) => {
        const before = run.made[made.index - 1]?.call.closedAtMs;
        const realMs = made.call.openedAtMs - (before ?? made.call.openedAtMs);
        if (before !== undefined && Math.abs(realMs - waitBeforeMs) > TOLERANCE_MS)
          fail(`run ${run.id} tells ${waitBeforeMs} of ${realMs} ms`);
      },
    }),
  },
];

/** Whether a target that has refused how a request was written could be asked again in the moment of its refusal. */
function mayBeRewritten(
  { breakers, slots, cooldownOf, drainedAtMs }: Facts,
  run: Run,
  { call, record }: Made,
): boolean {
  const atMs = call.closedAtMs ?? Infinity;
  const leftMs = (record?.sliceMs ?? 0) - (atMs - call.openedAtMs);
  return (
    drainedAtMs === undefined &&
    leftMs >= run.minAttemptMs + TOLERANCE_MS &&
    !breakers.of(call.entry).breaker.wasNotClosedAt(atMs) &&
    slots.get(call.target)?.wasFullAt(atMs) === false &&
    cooldownOf(call.target).mayHoldUntilMs(call.entry.model) <= atMs
  );
}

function isRepeat(run: Run, made: Made): boolean {
  return run.made.slice(0, made.index).some(({ call }) => call.entry === made.call.entry) && !isFreeOfCharge(run, made);
}

/** Whether the last call on the same entry failed by what hardly ever heals, as its provider made it, or may be paid. */
function isBehindWhatHardlyHeals(run: Run, { call, index }: Made): boolean {
  const last = run.made.slice(0, index).findLast((made) => made.call.entry === call.entry);
  if (last !== undefined && isBrokenBehindHead(last)) return true;
  const failure = last?.record?.failure;
  const cause = failure?.class === 'interrupted' ? last?.call.error : failure;
  return cause !== undefined && rowOf(cause.class).comesBackOnce === true;
}

/** Whether the stream of the call before broke off, so that its answer begins anew. */
function isRestart(run: Run, { index }: Made): boolean {
  return run.made[index - 1]?.record?.failure?.class === 'interrupted';
}

/** Whether the request comes back to a target after others. */
function isRevisit(run: Run, { call, index }: Made): boolean {
  const before = run.made[index - 1]?.call.entry;
  return before !== call.entry && run.made.slice(0, index).some((made) => made.call.entry === call.entry);
}

/** Entries that were free at every call since the last wait before a change of target, behind which the round may have begun. */
function freeInRound(run: Run, { index }: Made): readonly ChainEntry[] {
  const calls = run.made.slice(0, index + 1);
  const first = calls.findLastIndex(({ call }, at) => {
    const before = run.made[at - 1]?.call;
    return call.openedAtMs !== before?.closedAtMs && call.entry !== before?.entry;
  });
  return run.entries.filter((entry) =>
    // The wait may have been one for a repeat that was not made in the end.
    calls.slice(Math.max(0, first - 1)).every(({ call, others }) => call.entry === entry || others.includes(entry)),
  );
}

/** Whether another target may be begun with; where an answer has broken off, only with the time that it needs (engine rule U3). */
function isTimeEnough(run: Run, { call, index }: Made): boolean {
  const hasBroken = run.made.slice(0, index).some((made) => made.call.texts.length > 0);
  return run.deadlineAtMs - call.openedAtMs >= (hasBroken ? LONGEST_NEED_MS : 2 * run.minAttemptMs);
}

function wrongRepeat({ config: { retry } }: Facts, run: Run, made: Made): string | undefined {
  const own = run.made.slice(0, made.index).filter(({ call }) => call.entry === made.call.entry);
  const last = own.at(-1)?.record?.failure;
  if (last === undefined || last.class === 'interrupted') return undefined;
  const row = rowOf(last.class);
  if (isFreeOfCharge(run, made)) return undefined;
  if (!row.comesBack) return `asked again behind ${last.class}`;
  if (last.repeatIsUseless === true) return 'asked again, although it said that this is of no use';
  const before = run.made[made.index - 1];
  if (before?.call.entry !== made.call.entry || retry.order === 'EXHAUST_FIRST') return undefined;
  // While another target is free the next one's turn comes, but for one repeat that the class allows.
  if (before.othersAtEnd.length === 0 || made.others.length === 0 || !isTimeEnough(run, made)) return undefined;
  if (isSettledOn(run, made)) return undefined;
  if (retry.order === 'NEXT_FIRST') return 'repeated while another is available';
  if (!row.mayRepeat) return `repeated behind ${last.class}`;
  if (isBrokenBehindHead(before)) return 'asked again for an answer that may be paid';
  if (before.soundAtEnd === 'none' && last.retryAfterMs === undefined)
    return 'repeated, although the others fail as well';
  // Where no other target was free when it was begun or the one before had ended, a call on the same one may be another round.
  const visitBegins = own.findLastIndex((each) => {
    const previous = run.made[each.index - 1];
    const wasAlone = previous?.othersAtEnd.length === 0 || each.others.length === 0;
    return previous?.call.entry !== each.call.entry || wasAlone;
  });
  const inVisit = own.length - visitBegins;
  const replacements = own.filter((each) => isFreeOfCharge(run, each)).length;
  return inVisit - replacements > 1 ? 'repeated twice in a visit' : undefined;
}

/** Whether all free targets were asked already, so that the next round may begin with the one that ended the last. */
function isSettledOn(run: Run, { index, others }: Made): boolean {
  return others.every((entry) => run.made.slice(0, index).some(({ call }) => call.entry === entry));
}

function wrongWait(facts: Facts, run: Run, made: Made): string | undefined {
  const { retry } = facts.config;
  const before = run.made[made.index - 1];
  const failure = before?.record?.failure;
  if (before === undefined || failure === undefined || failure.class === 'interrupted') return undefined;
  const waitMs = made.call.openedAtMs - (before.call.closedAtMs ?? 0);
  const longestMs = Math.max(...retry.backoffMs);
  if (isFreeOfCharge(run, made) || run.asked.refusedAs !== undefined) return undefined;
  if (heldUpMs(facts, run.startedAtMs, made.call.openedAtMs) > 0) return undefined;
  if (retry.order === 'EXHAUST_FIRST') {
    // No rounds: nobody is waited for longer than by the schedule, and the waits are the schedule where nobody asked for others.
    if (waitMs > longestMs + TOLERANCE_MS) return `waits ${waitMs} ms`;
    if (before.call.entry !== made.call.entry || isHeldBack(facts, run)) return undefined;
    return outside(waitMs, retry.backoffMs[turnOf(run, made)] ?? 0, true);
  }
  // Whoever is held back has times of his own, which others may move on while he waits.
  if (isHeldBack(facts, run)) return undefined;
  if (waitMs > LONGEST_WAIT_MS + TOLERANCE_MS) return `waits ${waitMs} ms`;
  if (!run.made.slice(0, made.index).some(({ call }) => call.entry === made.call.entry)) return undefined;
  if (before.call.entry !== made.call.entry) {
    return waitMs > longestMs + TOLERANCE_MS ? `waits ${waitMs} ms before a round` : undefined;
  }
  if (run.entries.length > 1) return wrongFirstWait(retry, run, made, waitMs);
  // What is left of the deadline cuts the wait before a round, but for the least attempt and a late timer.
  const leftMs = run.deadlineAtMs - (before.call.closedAtMs ?? 0) - run.minAttemptMs - LATE_TIMER_MS;
  const listedMs = retry.backoffMs[Math.min(turnOf(run, made), retry.backoffMs.length - 1)] ?? 0;
  return outside(waitMs, Math.min(listedMs, Math.max(0, leftMs)), retry.jitter === 'NONE');
}

/** Whether a cooldown or a full target may have made the request wait. */
function isHeldBack({ cooldownOf, slots }: Facts, run: Run): boolean {
  return run.entries.some(
    ({ target, model }) =>
      cooldownOf(target).mayHoldUntilMs(model) > run.startedAtMs ||
      slots.get(target)?.wasFullSince(run.startedAtMs) === true,
  );
}

/** Which repeat on its target a call is, from 0. */
function turnOf(run: Run, { call, index }: Made): number {
  const own = run.made.slice(0, index).filter((made) => made.call.entry === call.entry);
  return own.filter((made) => !isFreeOfCharge(run, made)).length - 1;
}

/** The wait before a repeat within a visit, where another target is free. */
function wrongFirstWait({ jitter, backoffMs }: RetryConfig, run: Run, made: Made, waitMs: number): string | undefined {
  const before = run.made[made.index - 1];
  if (before?.record?.failure === undefined || made.index > 1 || made.others.length === 0) return undefined;
  if (isSettledOn(run, made) || !isTimeEnough(run, made)) return undefined;
  const { firstWaitMs = NEXT_TO_ANOTHER_MS } = rowOf(before.record.failure.class);
  return outside(waitMs, Math.min(firstWaitMs, backoffMs[0] ?? 0), jitter === 'NONE');
}

function outside(waitMs: number, ceilingMs: number, isExact: boolean): string | undefined {
  if (waitMs > ceilingMs + TOLERANCE_MS) return `waits ${waitMs} ms, more than ${ceilingMs}`;
  return isExact && waitMs < ceilingMs - TOLERANCE_MS ? `waits ${waitMs} ms instead of ${ceilingMs}` : undefined;
}
