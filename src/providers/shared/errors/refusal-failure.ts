import type { Failure } from '../../../core/failure.ts';
import type { AdapterEvent, ErrorResponse } from '../../port/adapter.ts';
import { asRecord, parseJson, wordOf } from '../json/value.ts';
import { errorHeaders } from '../headers/retry-after.ts';
import type { FailureDetails } from '../provider-failure.ts';
import { contextLengthExceeded, providerFailure } from '../provider-failure.ts';
import { classifyRefusal, isAboveRate, knownRefusal } from './classify-refusal.ts';
import type { ErrorMeaning, RefusalKind } from './refusal-kind.ts';
import { toldWaitMs } from './told-wait.ts';
import type { ProviderError } from './provider-error.ts';
import { readErrorBody, readProviderError } from './provider-error.ts';

/** What one API says that no other does: decides before all that they share; undefined: nothing of it. */
export type OwnWords = (error: ProviderError, status: number | undefined) => ErrorMeaning | undefined;

/** A provider's own API says in JSON that it does not know a model. */
const NO_API_THERE = 'The server answers with a page, and not as an API does: the base_url of the target may be wrong.';

/** Kinds that are worth a wait; of others no wait is read from words, which may repeat a request. */
const WORTH_A_WAIT: ReadonlySet<RefusalKind> = new Set(['rate_limit', 'overload', 'quota', 'conflict']);

/** Kinds at which a field of the request is to blame. */
const OF_THE_REQUEST: ReadonlySet<RefusalKind> = new Set(['capability', 'context_length', 'bad_request']);

/** Statuses that a server of class 500 may repeat from another behind it, and that say more than its own. */
const PASSED_ON: ReadonlySet<number | undefined> = new Set([402, 429]);

/**
 * Classifies an answer with an error status by what its body says, else by its status. Other statuses are no errors of any API.
 * Source: the class table of the engine's rules.
 */
export function refusedCall(response: ErrorResponse, ownWords?: OwnWords): Failure {
  const { status, headers, body, wallMs } = response;
  if (status < 400 || status > 599)
    return providerFailure('protocol', { httpStatus: status, ...errorHeaders(response) });
  const error = readErrorBody(body, headers['content-type']);
  const toldMs = error.isPage ? undefined : toldWaitMs(error, wallMs);
  const found = errorHeaders(response, toldMs);
  const telling = status >= 500 && PASSED_ON.has(error.status) ? error.status : status;
  const refusal = ownWords?.(error, telling) ?? classifyRefusal(error, telling, found.retryAfterMs !== undefined);
  // A wait that only the body names counts where waiting helps.
  const waits = WORTH_A_WAIT.has(refusal.kind) ? found : errorHeaders(response);
  return failureOfRefusal(refusal, error, { httpStatus: status, ...waits });
}

/**
 * Classifies an error inside an answer of status 200: an object in whatever envelope, or a text. A status that it names counts as
 * one of HTTP would.
 */
export function refusedInBand(said: unknown, ownWords?: OwnWords): Failure {
  const error = readProviderError(said);
  const toldMs = toldWaitMs(error, undefined);
  const refusal = ownWords?.(error, error.status) ?? classifyRefusal(error, error.status, toldMs !== undefined);
  const waits = toldMs !== undefined && WORTH_A_WAIT.has(refusal.kind) ? { retryAfterMs: toldMs } : {};
  // However long one waits, it is refused again.
  const isUseless = refusal.kind === 'rate_limit' && isAboveRate(error, error.status);
  return failureOfRefusal(refusal, error, isUseless ? { ...waits, repeatIsUseless: true } : waits);
}

/**
 * Makes the failure of an event that is no object: what its text says where it is named an error, in quotation marks or not.
 * With another name, or where it is JSON that broke off, it may hold an answer: then it is none of its protocol.
 */
export function failureOfText(name: string, data: string, ownWords?: OwnWords): Failure {
  if (name !== 'error' || /^[[{]/.test(data)) return providerFailure('protocol');
  const text = parseJson(data);
  return refusedInBand(typeof text === 'string' ? text : data, ownWords);
}

/** Makes the failure of what came in place of an answer, where it names an error that is known; otherwise undefined. */
export function refusedInPlaceOfAnswer(said: unknown): Failure | undefined {
  const error = readProviderError(said);
  const isError = error.status !== undefined || isNumbered(said) || knownRefusal(error, undefined, false) !== undefined;
  return isError ? refusedInBand(said) : undefined;
}

/** Whether MiniMax says that something failed: 0 is a success. */
function isNumbered(said: unknown): boolean {
  const number = wordOf(asRecord(asRecord(said)?.base_resp)?.status_code);
  return number !== undefined && number !== '0';
}

/** Reads what came in place of a whole answer: an error that is known, or nothing of its API. */
export function inPlaceOfAnswer(said: unknown): readonly AdapterEvent[] {
  return [{ type: 'failure', failure: refusedInPlaceOfAnswer(said) ?? providerFailure('protocol') }];
}

function failureOfRefusal(refusal: ErrorMeaning, error: ProviderError, known: FailureDetails): Failure {
  const { kind, field, isKnown } = refusal;
  const details: FailureDetails = {
    ...known,
    ...(error.providerCode === undefined ? {} : { providerCode: error.providerCode }),
    ...(error.requestId === undefined ? {} : { providerRequestId: error.requestId }),
    ...(field !== undefined && OF_THE_REQUEST.has(kind) ? { field } : {}),
    ...(kind === 'bad_request' && !isKnown ? { unrecognised: true } : {}),
  };
  if (kind === 'context_length') return contextLengthExceeded(details);
  const failure = providerFailure(kind, details);
  return kind === 'not_found' && error.isPage ? { ...failure, message: NO_API_THERE } : failure;
}
