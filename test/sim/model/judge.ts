import type { Failure, Verdict } from '../../../src/core/failure.ts';
import type { Made, Run, Stall } from '../facts.ts';
import { heldUpMs, TOLERANCE_MS } from '../facts.ts';
import { rowOf } from './class-table.ts';

/** How an attempt ended by the rules: what it says about its target, and what ended it. */
export interface Judgement {
  /** Undefined where the rules leave it open. */
  readonly verdict: Verdict | undefined;
  readonly by:
    | 'answer'
    | 'provider'
    | 'silence'
    | 'cut_short'
    | 'deadline'
    | 'stalled'
    | 'slow_reader'
    | 'caller'
    | 'us';
  /** What the provider sent. */
  readonly cause: Failure | undefined;
}

/** Judges a call that has been closed, from what its upstream did and from the rules, without asking the engine (X1, C1 to C19). */
export function judge(run: Run, made: Made, nowMs: number, sliceMs: number, stalls: readonly Stall[]): Judgement {
  const { call } = made;
  if (call.closedBy === 'release') return { verdict: 'success', by: 'answer', cause: undefined };
  if (call.plan.throws) return { verdict: 'neutral', by: 'us', cause: undefined };
  if (call.error !== undefined && !call.sawTerminal) {
    return { verdict: verdictOf(call.error, run, made), by: 'provider', cause: call.error };
  }
  if (call.endedCleanly && !call.sawTerminal) return { verdict: 'failure', by: 'provider', cause: undefined };
  if (run.cancelledAtMs !== undefined) return { verdict: 'neutral', by: 'caller', cause: undefined };
  if (call.pausedAtMs !== undefined) {
    const by = nowMs >= run.deadlineAtMs - TOLERANCE_MS ? 'deadline' : 'slow_reader';
    return { verdict: 'neutral', by, cause: undefined };
  }
  const heldMs = heldUpMs({ stalls }, call.openedAtMs, nowMs);
  if (call.firstOutputAtMs === undefined) {
    return heldMs > 0 ? ofSilenceHeldUp(run, made, nowMs, sliceMs) : ofSilence(run, made, nowMs);
  }
  const isIdle = nowMs - call.progressAtMs >= call.timing.progressMs - TOLERANCE_MS;
  const isUp = nowMs >= run.deadlineAtMs - TOLERANCE_MS;
  // Both in the same moment: the deadline is nobody's fault.
  if (isUp) return { verdict: 'neutral', by: 'deadline', cause: undefined };
  if (isIdle && heldMs > call.timing.progressMs) return { verdict: undefined, by: 'stalled', cause: undefined };
  return { verdict: isIdle ? 'failure' : 'neutral', by: isIdle ? 'stalled' : 'us', cause: undefined };
}

function ofSilence(run: Run, { call, blame }: Made, nowMs: number): Judgement {
  const silentMs = nowMs - call.openedAtMs;
  if (silentMs >= blame.surelyFromMs - TOLERANCE_MS) return { verdict: 'failure', by: 'silence', cause: undefined };
  const by = nowMs >= run.deadlineAtMs - TOLERANCE_MS ? 'deadline' : 'cut_short';
  if (silentMs < blame.notBeforeMs - TOLERANCE_MS) return { verdict: 'neutral', by, cause: undefined };
  return { verdict: undefined, by, cause: undefined };
}

/** Whether the silence of a call was suspicious; undefined where that is open, since the process was held up (X1, X2). */
export function isSuspicious(
  run: Run,
  { call, blame }: Made,
  nowMs: number,
  sliceMs: number,
  stalls: readonly Stall[],
): boolean | undefined {
  const silentMs = nowMs - call.openedAtMs;
  if (heldUpMs({ stalls }, call.openedAtMs, nowMs) === 0) return silentMs >= blame.suspectFromMs - TOLERANCE_MS;
  const allowedMs = Math.min(sliceMs, run.deadlineAtMs - call.openedAtMs);
  const [one, other] = [blame.leastLimitMs, blame.limitMs].map((limitMs) => {
    const waitsMs = Math.min(allowedMs, limitMs);
    return waitsMs >= blame.suspectFromMs - TOLERANCE_MS && silentMs <= 2 * waitsMs + TOLERANCE_MS;
  });
  return one === other ? one : undefined;
}

/** Where the process was held up, the limit tells whom to blame, and nobody is once the timer is later than all of it (X2). */
function ofSilenceHeldUp(run: Run, { call, blame }: Made, nowMs: number, sliceMs: number): Judgement {
  const allowedMs = Math.min(sliceMs, run.deadlineAtMs - call.openedAtMs);
  const silentMs = nowMs - call.openedAtMs;
  if (allowedMs < blame.notBeforeMs - TOLERANCE_MS) return { verdict: 'neutral', by: 'cut_short', cause: undefined };
  if (silentMs > 2 * Math.min(allowedMs, blame.limitMs) + TOLERANCE_MS) {
    return { verdict: 'neutral', by: 'us', cause: undefined };
  }
  const isSure =
    allowedMs >= blame.surelyFromMs - TOLERANCE_MS && silentMs <= 2 * Math.min(allowedMs, blame.leastLimitMs);
  return { verdict: isSure ? 'failure' : undefined, by: 'silence', cause: undefined };
}

/** Whether an answer in JSON broke off behind its head: it may be paid, and took its time (engine rule R3). */
export function isBrokenBehindHead({ call, record }: Made): boolean {
  const breaks = ['reset', 'silence', 'cut_short', 'protocol'];
  const failure = record?.failure;
  return !call.timing.streams && call.sawHead && failure !== undefined && breaks.includes(failure.class);
}

/** Whether a call has failed whose target had taken the prompt (classes C12 and C14). */
export function hadBegun(made: Made): boolean {
  const failure = made.record?.failure;
  if (failure === undefined) return false;
  return made.call.texts.length > 0 || (isBrokenBehindHead(made) && failure.class !== 'protocol');
}

/** A stale socket is nobody's fault once; behind a replacement it is the provider's (class C3). */
function verdictOf(error: Failure, run: Run, made: Made): Verdict | undefined {
  if (error.class !== 'stale_socket') return rowOf(error.class).verdict;
  if (isReplacement(run, made)) return 'failure';
  // A visit may go on behind a replacement and something else; the calls alone do not tell a visit from the next round.
  for (let index = made.index - 1; index >= 0; index--) {
    const before = run.made[index];
    if (before === undefined || before.call.entry !== made.call.entry) return 'neutral';
    if (isReplacement(run, before)) return undefined;
  }
  return 'neutral';
}

/** Whether a call replaces the one before it, whose connection was stale: it follows at once. */
function isReplacement(run: Run, { call, index }: Made): boolean {
  const before = run.made[index - 1]?.call;
  return (
    before !== undefined &&
    before.entry === call.entry &&
    before.error?.class === 'stale_socket' &&
    before.closedAtMs === call.openedAtMs &&
    !isReplacedAlready(run, index - 1)
  );
}

/** Whether a call is the one before it, written as its server wants it: that was refused, and this follows at once (class C13). */
export function isRewritten(run: Run, { call, index }: Made): boolean {
  const before = run.made[index - 1]?.call;
  return (
    before !== undefined &&
    before.entry === call.entry &&
    before.error?.quirk !== undefined &&
    before.closedAtMs === call.openedAtMs
  );
}

/** Whether a call is one that costs nothing: it takes the place of another that nobody has looked at. */
export function isFreeOfCharge(run: Run, made: Made): boolean {
  return isReplacement(run, made) || isRewritten(run, made);
}

function isReplacedAlready(run: Run, index: number): boolean {
  const made = run.made[index];
  return made !== undefined && isReplacement(run, made);
}
