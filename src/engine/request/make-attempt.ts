import type { Failure } from '../../core/failure.ts';
import { Attempt } from '../attempt/attempt.ts';
import { ProbeOutput } from '../attempt/probe-output.ts';
import type { AttemptKind, CallSuccess, ChainEntry, Rejection, Serving } from '../port/call.ts';
import { afterCommit, forCaller } from '../port/failures.ts';
import { settleAttempt } from '../target/settle.ts';
import type { Silences } from '../target/times/silences.ts';
import { withSuspicion } from '../target/times/suspicion.ts';
import type { ReadyAttempt } from './admit.ts';
import type { MayBePaid } from './allowance.ts';
import { brokeBehindHead } from './behind-head.ts';
import type { Request } from './request.ts';
import type { Visit } from './visit.ts';

/** How an attempt has ended. */
export interface AttemptOutcome<Output, Final> {
  /** The complete answer; undefined where none came. */
  readonly answer: CallSuccess<Output, Final> | undefined;
  /** What went wrong; undefined where the answer is what was asked for. */
  readonly fault: AttemptFault<Output, Final> | undefined;
}

/** What went wrong with an attempt. */
export interface AttemptFault<Output, Final> {
  /** As the provider made it. */
  readonly cause: Failure;
  /** What it means to the caller. */
  readonly failure: Failure;
  /** Of a complete answer that is not what was asked for; undefined for all other faults. */
  readonly rejection: Rejection<Output, Final> | undefined;
  /** Whether some of the answer came. */
  readonly hasOutput: boolean;
  /** Whether the answer was not streamed, and broke off behind a head that promised it (engine rule R3). */
  readonly isBehindHead: boolean;
  /** How long the attempt took, in milliseconds. */
  readonly durationMs: number;
  /** Whether the target would be asked in another form, which may not fail so (class C13). */
  readonly isRewritable: boolean;
}

/**
 * Makes an attempt, in the turn in which it was admitted, to its end, and settles it.
 * @param again what it is where it is no first try of a visit: the first one after the answer broke off, one that mends, or one
 * that is written anew
 */
export async function makeAttempt<Output, Final>(
  request: Request<Output, Final>,
  visit: Visit<Output, Final>,
  ready: ReadyAttempt<Output, Final>,
  again: 'RESTART' | 'REPAIR' | 'RETRY' | undefined,
): Promise<AttemptOutcome<Output, Final>> {
  const { chain, delivery, trail } = request;
  const { runtime, observer, stateOf } = request.context;
  const { entry, staleSocketReplaced } = visit;
  const { prepared, paced, permit, limits } = ready;
  const start = {
    kind: again !== 'REPAIR' && permit.probe ? 'PROBE' : (again ?? kindOf(request, entry)),
    entry,
    startedAtMs: runtime.now(),
    startedAtWallMs: runtime.wall(),
    waitBeforeMs: request.takeWaitedMs(),
    sliceMs: limits.sliceMs,
    circuit: permit.circuit,
  } as const;
  const number = trail.begin();
  const serving = (): Serving => ({
    number,
    target: entry.target,
    provider: entry.provider,
    model: attempt.reportedModel ?? entry.model,
    requestedModel: entry.model,
  });
  const state = stateOf(entry);
  const { times } = state.circuits.of(entry);
  const { timing } = prepared;
  const output = delivery.forAttempt(serving, () => {
    times.began(timing, attempt.elapsedMs);
  });
  const probe = permit.probe
    ? new ProbeOutput(
        runtime,
        output,
        () => {
          permit.answers();
        },
        () => {
          permit.provisionalSuccess();
          observer.targetChanged?.(entry.target);
        },
      )
    : undefined;
  const attempt = new Attempt<Output, Final>(runtime, paced, limits, probe ?? output);
  request.attempting(attempt);
  state.stats.attemptStarted();
  const end = await attempt.start();
  request.attempting(undefined);
  probe?.stop();
  const rejection = end.ok ? prepared.judge?.(end.final) : undefined;
  const span = { startedAtMs: start.startedAtMs, endedAtMs: runtime.now() };
  const broken = end.ok ? undefined : blamed(end.failure, ready, attempt, span, times.silences);
  const reported = broken && forCaller(broken, entry.modelNamedByCaller);
  const cause = rejection?.failure ?? reported;
  const failure = cause && delivery.isCommitted ? afterCommit(cause) : cause;
  const hasOutput = attempt.outputBytes > 0;
  const isBehindHead =
    reported !== undefined &&
    brokeBehindHead({ cause: reported, streams: timing.streams, httpStatus: attempt.httpStatus });
  const isRewritable = reported !== undefined && !hasOutput && prepared.learns?.(reported) === true;
  const record = trail.end(number, start, attempt, failure);
  if (cause === undefined) request.allowance.endedWell(entry);
  const { durationMs } = record;
  const counts = reported && chain.countsAt(entry);
  settleAttempt({ observer, state, permit, record, cause: reported, timing, counts, staleSocketReplaced });
  request.attemptEnded?.(record);
  return {
    answer: end.ok ? answerOf(request, serving(), attempt, end.final) : undefined,
    fault: cause && failure && { cause, failure, rejection, hasOutput, isBehindHead, durationMs, isRewritable },
  };
}

/** Whose fault an end was that was none of the answer, where nothing came (engine rule X1). */
function blamed<Output, Final>(
  reason: Failure,
  { permit, limits }: ReadyAttempt<Output, Final>,
  attempt: Attempt<Output, Final>,
  { startedAtMs, endedAtMs }: { readonly startedAtMs: number; readonly endedAtMs: number },
  silences: Silences,
): Failure {
  if (attempt.firstOutputMs !== undefined) return reason;
  const silent = {
    startedAtMs,
    endedAtMs,
    limitMs: attempt.allowedSilenceMs,
    suspectAfterMs: limits.suspectAfterMs,
    blameAfterMs: limits.blameAfterMs,
    trial: permit.probe ? undefined : limits.trial,
  };
  return withSuspicion(reason, silent, silences);
}

/** Whether a target had taken the prompt: some of its answer came, or a head of one in JSON with nothing unreadable behind it. */
export function hasBegun({
  cause,
  hasOutput,
  isBehindHead,
}: Pick<AttemptFault<unknown, unknown>, 'cause' | 'hasOutput' | 'isBehindHead'>): boolean {
  return hasOutput || (isBehindHead && cause.class !== 'protocol');
}

/**
 * Whether a failed attempt may be paid without an answer: then it is repeated once, where `remainingMs`, the time that the request has
 * left in milliseconds, is no less than it has taken (engine rule R3).
 */
export function mayBePaid(
  { isBehindHead, durationMs }: Pick<AttemptFault<unknown, unknown>, 'isBehindHead' | 'durationMs'>,
  remainingMs: number,
): MayBePaid {
  if (!isBehindHead) return 'no';
  return remainingMs < durationMs ? 'no_time' : 'once';
}

function kindOf<Output, Final>({ chain, trail }: Request<Output, Final>, entry: ChainEntry): AttemptKind {
  if (trail.attempts === 0) return 'FIRST';
  return chain.failureOf(entry) === undefined ? 'FAILOVER' : 'RETRY';
}

function answerOf<Output, Final>(
  { delivery, time, trail }: Request<Output, Final>,
  serving: Serving,
  attempt: Attempt<Output, Final>,
  final: Final,
): CallSuccess<Output, Final> {
  return {
    ok: true,
    serving,
    final,
    outputs: delivery.outputs,
    usage: attempt.usage,
    attempts: trail.records,
    skipsLeftOut: trail.skipsLeftOut,
    elapsedMs: time.elapsedMs,
    deadlineClamped: time.isClamped,
    empty: attempt.outputBytes === 0,
  };
}
