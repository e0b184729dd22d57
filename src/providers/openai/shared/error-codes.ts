import type { Failure } from '../../../core/failure.ts';
import type { ErrorResponse } from '../../port/adapter.ts';
import { refusedCall, refusedInBand } from '../../shared/errors/refusal-failure.ts';

/** Classifies an answer with an error status of OpenAI, and of the many who speak as it does: all words of all of them count. */
export function openAiFailure(response: ErrorResponse): Failure {
  return refusedCall(response);
}

/**
 * Classifies an error inside an answer of status 200; `error` is the error object or its text. A status that the provider
 * names in it counts, as at OpenAI-compatible servers; what nothing is known about is the provider's own fault.
 */
export function openAiInBandFailure(error: unknown): Failure {
  return refusedInBand(error);
}
