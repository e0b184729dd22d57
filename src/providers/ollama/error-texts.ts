import type { Failure } from '../../core/failure.ts';
import type { ErrorResponse } from '../port/adapter.ts';
import { errorHeaders } from '../shared/headers/retry-after.ts';
import { asRecord, parseJson, textOf } from '../shared/json/value.ts';
import type { FailureDetails } from '../shared/provider-failure.ts';
import { classOfStatus, contextLengthExceeded, providerFailure } from '../shared/provider-failure.ts';

const MISSING_CAPABILITY = /does not support|not supported for this model/i;
const TOO_LONG = /exceeds? the (maximum )?context length/i;
const UNKNOWN_MODEL = /model .*not found|try pulling/i;

/** Statuses at which the text tells more than the number does; an error within a stream has no number. */
const VAGUE_STATUSES: ReadonlySet<number | undefined> = new Set([undefined, 400, 404, 500]);

/** Classifies an error response: `{"error": "text"}`, without any code, so that a few texts must decide. */
export function ollamaFailure(response: ErrorResponse): Failure {
  const details = { httpStatus: response.status, ...errorHeaders(response) };
  return byText(parseJson(response.body), response.status, details);
}

/** Classifies an error line within an answer of status 200. What nothing is known about is the server's own fault. */
export function ollamaInBandFailure(body: unknown): Failure {
  return byText(body, undefined, {});
}

function byText(body: unknown, status: number | undefined, details: FailureDetails): Failure {
  const error = asRecord(body)?.error;
  const text = VAGUE_STATUSES.has(status) ? textOf(error) || textOf(asRecord(error)?.message) : '';
  if (TOO_LONG.test(text)) return contextLengthExceeded(details);
  if (MISSING_CAPABILITY.test(text)) return providerFailure('capability', { ...details, ...fieldOf(text) });
  if (UNKNOWN_MODEL.test(text)) return providerFailure('not_found', details);
  // Only its status tells what it is (class C12).
  if (status === 400 || status === 422) return providerFailure('bad_request', { ...details, unrecognised: true });
  return providerFailure(status === undefined ? 'overload' : classOfStatus(status), details);
}

/** The capability stands at the end of the text, behind the name of the model: `"x" does not support thinking`. */
function fieldOf(text: string): { readonly field?: string } {
  if (/ support tools$/i.test(text)) return { field: 'tools' };
  return / support thinking$|^think value/i.test(text) ? { field: 'options.reasoning_effort' } : {};
}
