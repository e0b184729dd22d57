import { FailureError } from '../../core/failure.ts';

/** Makes the error for an answer that breaks the rules of its form (class C15). `message` is a sentence of ours. */
export function protocolFailure(message: string, cause?: unknown): FailureError {
  return new FailureError({ class: 'protocol', reason: 'PROVIDER_PROTOCOL_ERROR', message, cause });
}
