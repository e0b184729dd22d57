import type { ClassRule, Failure, Verdict } from '../../core/failure.ts';
import { CLASS_RULES } from '../../core/failure.ts';
import type { TokenUsage } from '../../core/ports.ts';
import type { AttemptTiming } from '../port/attempt-timing.ts';
import type { AttemptRecord } from '../port/call.ts';
import type { EngineObserver } from '../port/observer.ts';
import type { Permit, SettleInfo } from '../port/permit.ts';
import type { ResponseTimes } from './times/response-times.ts';
import type { TargetState } from './state.ts';

/** A rate limit that names no time holds calls back for so many milliseconds. */
const UNNAMED_COOLDOWN_MS = 1_000;

/** The end of an attempt and what it touches. */
export interface Settlement {
  readonly observer: EngineObserver;
  readonly state: TargetState;
  readonly permit: Permit;
  readonly record: AttemptRecord;
  /** The failure as the provider made it, before what it means to the caller. Absent: success. */
  readonly cause: Failure | undefined;
  readonly timing: AttemptTiming;
  /** Whether its failure counts at a closed circuit (engine rule K1); undefined where it has not failed. */
  readonly counts: SettleInfo['counts'];
  /** Whether the visit has replaced a stale socket before. */
  readonly staleSocketReplaced: boolean;
}

/** Settles an attempt in the one place where it changes breaker, cooldowns, suspensions and statistics; then tells of it. */
export function settleAttempt(settlement: Settlement): void {
  const { observer, state, permit, record, cause, counts } = settlement;
  const verdict = cause === undefined ? 'success' : verdictOf(cause, settlement.staleSocketReplaced);
  learn(state.circuits.of(record.entry).times, settlement);
  if (cause === undefined) state.concurrency.succeeded(state.stats.inFlight);
  // What an open circuit has let through is too little for a complaint about too much.
  else if (isComplaint(cause) && !permit.probe) state.concurrency.complained(state.stats.inFlight);
  state.stats.attemptEnded(verdict, record.durationMs, record.firstOutputMs, tokensOf(record.usage));
  permit.settle(verdict, { retryAfterMs: cause?.retryAfterMs, wasSilent: cause?.class === 'silence', counts });
  if (cause !== undefined) {
    if (cause.class !== 'client_cancel' && cause.class !== 'slow_reader') {
      state.stats.lastError = record.failure?.reason ?? cause.reason;
    }
    holdBack(settlement, cause);
    if (needsOperator(cause, record)) observer.alert?.(record.entry.target, cause);
  }
  observer.attemptEnded?.(record);
  observer.targetChanged?.(record.entry.target);
}

/**
 * How long a stream took to begin was noted when it began; an answer that is not streamed must have come. Silence is no sample: it
 * would move the limit that it is measured with. But a probe that failed by it may have been left too soon.
 */
function learn(times: ResponseTimes, { timing, permit, record, cause }: Settlement): void {
  if (cause === undefined) times.completed(timing, record.durationMs);
  else if (permit.decides && cause.class === 'silence' && record.firstOutputMs === undefined)
    times.silences.probeFailed();
}

const OVERLOAD_STATUSES: ReadonlySet<number | undefined> = new Set([503, 529]);

/**
 * Whether the provider says that it is asked too much: a rate limit, 503 (RFC 9110; DeepSeek's overload, Ollama's full queue), or
 * 529, which a stream tells by its code (engine rule L1). What it cannot take goes to the next target, before its circuit opens.
 */
function isComplaint({ class: failureClass, httpStatus, providerCode }: Failure): boolean {
  return failureClass === 'rate_limit' || OVERLOAD_STATUSES.has(httpStatus) || providerCode === 'overloaded_error';
}

function verdictOf(cause: Failure, staleSocketReplaced: boolean): Verdict {
  // A second stale socket in a row is no accident of timing any more (class C3).
  if (cause.class === 'stale_socket' && staleSocketReplaced) return 'failure';
  return CLASS_RULES[cause.class].verdict;
}

/** Cooldowns and suspensions (classes C7 to C11; engine rule R4). */
function holdBack({ state: { cooldown }, record: { entry } }: Settlement, cause: Failure): void {
  const rule: ClassRule = CLASS_RULES[cause.class];
  const { retryAfterMs } = cause;
  if (rule.suspendMs === undefined) {
    if (cause.class === 'rate_limit') cooldown.cool(retryAfterMs ?? UNNAMED_COOLDOWN_MS);
    else if (retryAfterMs !== undefined && rule.laterRounds !== false) cooldown.cool(retryAfterMs);
  } else if (cause.class !== 'not_found') {
    cooldown.suspend(cause.reason, rule.suspendMs, retryAfterMs);
  } else if (!entry.modelNamedByCaller) {
    cooldown.suspendModel(entry.model, cause.reason, rule.suspendMs);
  }
}

/**
 * Whether a person should look at it: a key, a quota, a missing model, a certificate, a fault of ours (classes C2, C9 to C11, C21), or
 * that this process has no descriptor left, which alone makes an attempt fail as OVERLOADED (C20).
 */
function needsOperator(cause: Failure, { entry }: AttemptRecord): boolean {
  if (cause.class === 'not_found') return !entry.modelNamedByCaller;
  const rule: ClassRule = CLASS_RULES[cause.class];
  const isOverloaded = cause.class === 'local_refusal' && cause.reason === 'OVERLOADED';
  return rule.suspendMs !== undefined || cause.class === 'tls' || cause.class === 'internal' || isOverloaded;
}

function tokensOf(usage: TokenUsage | undefined): number {
  return usage?.totalTokens ?? (usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0);
}
