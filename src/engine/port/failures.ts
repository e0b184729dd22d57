import type { Failure, FailureClass, FailureReason } from '../../core/failure.ts';

/** Silence of the provider for as long as it may be blamed for (class C5). */
export function silence(): Failure {
  return { class: 'silence', reason: 'PROVIDER_TIMEOUT', message: 'The provider did not answer in time.' };
}

/** An attempt that our own limits ended before its provider could be blamed (class C6). */
export function cutShort(): Failure {
  return { class: 'cut_short', reason: 'DEADLINE', message: 'The time for this attempt was up.' };
}

/** The end of the request's own time. */
export function deadlineExceeded(): Failure {
  return { class: 'cut_short', reason: 'DEADLINE', message: 'The deadline of the request was reached.' };
}

/** The caller has cancelled or is gone (class C18). */
export function clientCancelled(): Failure {
  return { class: 'client_cancel', reason: 'CANCELLED', message: 'The caller cancelled the request.' };
}

/** The caller has not read its stream for too long (class C19). */
export function slowReader(): Failure {
  return { class: 'slow_reader', reason: 'SLOW_READER', message: 'The caller did not read its stream.' };
}

/** A refusal of our own, before any call (class C20). */
export function localRefusal(reason: FailureReason, message: string, retryAfterMs?: number): Failure {
  return { class: 'local_refusal', reason, message, retryAfterMs };
}

/** A refusal because the gateway goes down (engine rule D2). */
export function shuttingDown(): Failure {
  return localRefusal('SHUTTING_DOWN', 'The gateway is shutting down.');
}

/** An answer that stopped growing; where the caller has got some of it, {@link afterCommit} makes it an interruption. */
export function stalled(): Failure {
  return { class: 'silence', reason: 'PROVIDER_TIMEOUT', message: 'The provider stopped in the middle of its answer.' };
}

/** A timer that fired far too late, because this process was held up: nobody is to blame (engine rule X2). */
export function heldUp(): Failure {
  return { class: 'cut_short', reason: 'PROVIDER_TIMEOUT', message: 'The gateway was held up.' };
}

/** A body that ended cleanly before its terminal marker (engine rule X3). */
export function truncated(): Failure {
  return { class: 'reset', reason: 'PROVIDER_UNAVAILABLE', message: 'The answer ended before its end marker.' };
}

const STAYS_ITSELF: ReadonlySet<FailureClass> = new Set(['client_cancel', 'slow_reader', 'mismatch', 'budget']);

/**
 * What a failure means once output has reached the caller (class C17): the stream is interrupted, whatever broke it. Failures
 * of the caller's making, of its budget and of its deadline stay what they are, and so does an answer that is complete but not as asked for.
 */
export function afterCommit(failure: Failure): Failure {
  if (STAYS_ITSELF.has(failure.class) || failure.reason === 'DEADLINE') return failure;
  return {
    ...failure,
    class: 'interrupted',
    reason: 'STREAM_INTERRUPTED',
    message: 'The answer broke off after its first words.',
    brokenBy: failure.reason,
  };
}

/** What a missing model means where the caller itself has named it (class C11). */
export function forCaller(failure: Failure, modelNamedByCaller: boolean): Failure {
  if (failure.class !== 'not_found' || !modelNamedByCaller) return failure;
  return { ...failure, reason: 'MODEL_NOT_FOUND', message: 'The provider does not know the requested model.' };
}

/** A fault of our own (class C21). */
export function internalFault(cause: unknown): Failure {
  return { class: 'internal', reason: 'INTERNAL', message: 'The gateway failed.', cause };
}
