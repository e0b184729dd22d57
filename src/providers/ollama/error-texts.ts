import type { Failure } from '../../core/failure.ts';
import type { ErrorResponse } from '../port/adapter.ts';
import { refusedCall, refusedInBand } from '../shared/errors/refusal-failure.ts';

/** Classifies an error response: `{"error": "text"}`, without any code, so that words must decide. */
export function ollamaFailure(response: ErrorResponse): Failure {
  return refusedCall(response);
}

/** Classifies an error line within an answer of status 200. What nothing is known about is the server's own fault. */
export function ollamaInBandFailure(body: unknown): Failure {
  return refusedInBand(body);
}
