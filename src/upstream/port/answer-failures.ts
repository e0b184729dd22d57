import type { Failure } from '../../core/failure.ts';
import { FailureError } from '../../core/failure.ts';

/** Makes the error for an answer that breaks the rules of its form (class C15). `message` is a sentence of ours. */
export function protocolFailure(message: string, cause?: unknown): FailureError {
  return new FailureError({ class: 'protocol', reason: 'PROVIDER_PROTOCOL_ERROR', message, cause });
}

/** An answer of more bytes than are kept. */
export function tooLarge(): FailureError {
  return protocolFailure('The answer of the provider is larger than allowed.');
}

/** A text that is not UTF-8. */
export function notUtf8(cause: unknown): FailureError {
  return protocolFailure('The provider sent text that is not valid UTF-8.', cause);
}

/** A stream of events that ended cleanly, but without its end marker (engine rule X3). */
export function unmarkedEnd(): Failure {
  return {
    class: 'reset',
    reason: 'PROVIDER_UNAVAILABLE',
    message: 'The stream of the provider ended before its end marker.',
  };
}

/** This process can open no file and no connection more: nobody's fault but its own, and soon over (class C20). */
export function outOfDescriptors(cause: unknown): Failure {
  return {
    class: 'local_refusal',
    reason: 'OVERLOADED',
    message: 'The gateway has no file descriptor left.',
    providerCode: 'EMFILE',
    neverSent: true,
    cause,
  };
}

/** Says what went wrong when a step of a call threw: the failure that was thrown, or a fault of ours (class C21). */
export function failureOf(error: unknown): Failure {
  if (error instanceof FailureError) return error.failure;
  return {
    class: 'internal',
    reason: 'INTERNAL',
    message: 'The call failed because of a fault of the gateway.',
    cause: error,
  };
}
