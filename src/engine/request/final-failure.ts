import type { Failure, StatusName } from '../../core/failure.ts';
import { namedChoices, REASON_STATUS } from '../../core/failure.ts';
import { COME_AGAIN_MS } from './slots/admission-queue.ts';
import type { AttemptRecord, CallFailure, ChainEntry } from '../port/call.ts';
import { deadlineExceeded } from '../port/failures.ts';
import { wasContacted } from './trail.ts';

/** How a request came to its end without an answer. */
export interface Ending {
  readonly attempts: readonly AttemptRecord[];
  /** Whether the deadline ended it. */
  readonly deadlineReached: boolean;
  /** What ended the chain by itself: a cancel, a bad request, a broken stream. */
  readonly decisive: Failure | undefined;
  /** How the last of the answers failed that had begun; undefined where none had. */
  readonly begun?: Failure | undefined;
  /** After how many milliseconds one of the targets is available again; undefined where that is unknown or now. */
  readonly availableInMs: number | undefined;
}

/** Chooses what the caller is told (engine rules B5 and R7). */
export function finalFailure({ attempts, deadlineReached, decisive, begun, availableInMs }: Ending): CallFailure {
  const contacted = wasContacted(attempts);
  if (decisive !== undefined) return asItself(decisive, contacted);
  if (deadlineReached) return asItself(deadlineExceeded(), contacted);
  const tried = lastOfEach(attempts.filter(({ kind }) => kind !== 'SKIPPED'));
  // What one target had taken is not the request's fault, whatever another says of it.
  if (begun !== undefined && [...tried.values()].some(isRefusal)) return asItself(begun, contacted);
  const skipped = lastOfEach(attempts.filter(({ kind }) => kind === 'SKIPPED'));
  const temporary = [...skipped].filter(([entry, failure]) => !tried.has(entry) && !isOfTheRequest(failure));
  const failures = [...temporary, ...tried].map(([, failure]) => failure);
  if (tried.size > 0) {
    const targets = [...tried.keys()].map(({ target }) => target);
    return allFailed(failures, targets, contacted, availableInMs);
  }
  // What a target cannot do matters only where no other reason is left: the others may be there another time.
  return nothingTried(failures.length > 0 ? failures : [...skipped.values()], availableInMs);
}

/** Returns the last failure of each entry, in the order of their first. */
function lastOfEach(attempts: readonly AttemptRecord[]): Map<ChainEntry, Failure> {
  const last = new Map<ChainEntry, Failure>();
  for (const { entry, failure } of attempts) if (failure !== undefined) last.set(entry, failure);
  return last;
}

/** Whether the request is to blame, so that another time does not help (classes C12 to C14, and its price). */
function isOfTheRequest(failure: Failure): boolean {
  return REASON_STATUS[failure.reason] === 'INVALID_ARGUMENT';
}

/** Whether a target has refused the request (classes C12 and C14). */
function isRefusal({ class: failureClass }: Failure): boolean {
  return failureClass === 'bad_request' || failureClass === 'content';
}

function asItself(failure: Failure, contacted: boolean): CallFailure {
  return {
    status: REASON_STATUS[failure.reason],
    reason: failure.reason,
    message: failure.message,
    retryAfterMs: failure.retryAfterMs,
    field: failure.field,
    quota: failure.quota,
    contacted,
    cause: failure.cause,
  };
}

/** The row "all providers failed"; but a request that none of them could take, or answer as asked, is told so. */
function allFailed(
  failures: readonly Failure[],
  targets: readonly string[],
  contacted: boolean,
  availableInMs: number | undefined,
): CallFailure {
  const last = failures.at(-1);
  const isItself = failures.every(isOfTheRequest) || failures.every(({ class: kind }) => kind === 'mismatch');
  if (last !== undefined && isItself) return asItself(last, contacted);
  // Attempts that found this process without descriptors, or its connections closed, have asked nobody.
  if (last !== undefined && failures.every(({ class: kind }) => kind === 'local_refusal')) {
    return { ...asItself(last, contacted), retryAfterMs: againInMs(last.reason, availableInMs) };
  }
  const status = commonStatus(failures);
  // A used-up quota comes back at no known time, so a time is told only where a rate limit is among the reasons.
  const hasTime = status !== 'RESOURCE_EXHAUSTED' || failures.some(({ reason }) => reason === 'PROVIDER_RATE_LIMITED');
  return {
    status,
    reason: 'ALL_PROVIDERS_FAILED',
    message: allFailedMessage(failures, targets),
    retryAfterMs: hasTime ? (hintMs(failures) ?? availableInMs) : undefined,
    contacted,
    cause: last?.cause,
  };
}

/** A model that nobody knows is told as such, with those who do not. */
function allFailedMessage(failures: readonly Failure[], targets: readonly string[]): string {
  if (failures.some(({ reason }) => reason !== 'MODEL_NOT_FOUND'))
    return 'Every provider that could be asked has failed.';
  return `The requested model is unknown to ${namedChoices(targets)}; ListModels lists the models that there are.`;
}

/** Returns the least time that the providers asked to wait, where all of them did. */
function hintMs(failures: readonly Failure[]): number | undefined {
  const leastMs = Math.min(...failures.map(({ retryAfterMs }) => retryAfterMs ?? Number.NaN));
  return Number.isFinite(leastMs) ? leastMs : undefined;
}

function nothingTried(failures: readonly Failure[], availableInMs: number | undefined): CallFailure {
  const [first] = failures;
  if (first === undefined) {
    return {
      status: 'FAILED_PRECONDITION',
      reason: 'NO_PROVIDER_CONFIGURED',
      message: 'No provider is configured.',
      contacted: false,
    };
  }
  const isCommon = failures.every(({ reason }) => reason === first.reason);
  return {
    status: commonStatus(failures),
    reason: isCommon ? first.reason : 'ALL_PROVIDERS_FAILED',
    message: isCommon ? first.message : 'No target can be asked now.',
    retryAfterMs: isCommon ? againInMs(first.reason, availableInMs) : availableInMs,
    field: isCommon ? first.field : undefined,
    contacted: false,
    cause: first.cause,
  };
}

/** A used-up quota comes back at no known time, and whoever finds all slots taken is to stay away a while (engine rule A3). */
function againInMs(reason: Failure['reason'], availableInMs: number | undefined): number | undefined {
  if (reason === 'PROVIDER_QUOTA_EXHAUSTED') return undefined;
  return reason === 'OVERLOADED' ? Math.max(availableInMs ?? 0, COME_AGAIN_MS) : availableInMs;
}

function commonStatus(failures: readonly Failure[]): StatusName {
  const statuses = new Set(failures.map(({ reason }) => REASON_STATUS[reason]));
  const [only] = statuses;
  return statuses.size === 1 && only !== undefined ? only : 'UNAVAILABLE';
}
