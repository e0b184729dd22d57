import type { Failure, FailureClass, FailureReason } from '../../core/failure.ts';

/** Classes that an answer of a provider can be put into. */
export type ProviderFailureClass = Extract<
  FailureClass,
  | 'overload'
  | 'rate_limit'
  | 'quota'
  | 'auth'
  | 'not_found'
  | 'bad_request'
  | 'capability'
  | 'content'
  | 'conflict'
  | 'protocol'
>;

/** What else is known about a failure. */
export type FailureDetails = Omit<Partial<Failure>, 'class' | 'reason' | 'message'>;

/** Reason and sentence of each class; the same for all providers. */
const WORDS = {
  overload: { reason: 'PROVIDER_UNAVAILABLE', message: 'The provider is overloaded or failed.' },
  rate_limit: { reason: 'PROVIDER_RATE_LIMITED', message: 'The provider limits the rate.' },
  quota: { reason: 'PROVIDER_QUOTA_EXHAUSTED', message: 'The account at the provider has no credit left.' },
  auth: { reason: 'PROVIDER_AUTH_FAILED', message: 'The provider refused the credential of the gateway.' },
  not_found: { reason: 'PROVIDER_MODEL_NOT_FOUND', message: 'The provider does not know the model.' },
  bad_request: { reason: 'INVALID_REQUEST', message: 'The provider calls the request invalid.' },
  capability: { reason: 'UNSUPPORTED_PARAMETER', message: 'The model does not take a part of the request.' },
  content: { reason: 'PROMPT_BLOCKED', message: 'The provider refused the prompt.' },
  conflict: { reason: 'PROVIDER_UNAVAILABLE', message: 'The provider reports a conflict.' },
  protocol: { reason: 'PROVIDER_PROTOCOL_ERROR', message: 'The provider sent something that is not its protocol.' },
} as const satisfies Record<ProviderFailureClass, { reason: FailureReason; message: string }>;

const CLASS_BY_STATUS: ReadonlyMap<number, ProviderFailureClass> = new Map<number, ProviderFailureClass>([
  [400, 'bad_request'],
  [401, 'auth'],
  [402, 'quota'],
  [403, 'auth'],
  [404, 'not_found'],
  [405, 'bad_request'],
  [408, 'overload'],
  [409, 'conflict'],
  [413, 'bad_request'],
  [422, 'bad_request'],
  [425, 'conflict'],
  [429, 'rate_limit'],
  // Groq has no room for a request of the tier `flex`.
  [498, 'overload'],
]);

/** Makes a failure of a class, in our own words; of `capability` it is an unsupported parameter. */
export function providerFailure(failureClass: ProviderFailureClass, details: FailureDetails = {}): Failure {
  return { class: failureClass, ...WORDS[failureClass], ...details };
}

/** Makes the failure of a request that is too long for the model. */
export function contextLengthExceeded(details: FailureDetails = {}): Failure {
  return {
    class: 'capability',
    reason: 'CONTEXT_LENGTH_EXCEEDED',
    message: 'The request does not fit the model.',
    ...details,
  };
}

/** Makes the failure of a request that an adapter cannot translate; `field` is in the contract's names. */
export function unsupported(field: string, message: string): Failure {
  return { class: 'capability', reason: 'UNSUPPORTED_PARAMETER', message, field };
}

/** Makes the failure of a request that no provider can be sent; `field` is in the contract's names. */
export function invalid(field: string, message: string): Failure {
  return { class: 'bad_request', reason: 'INVALID_REQUEST', message, field };
}

/**
 * Classifies an error by its HTTP status alone. A status that the table does not have, such as a proxy's 499, says nothing
 * about the request: it is a failure of class `protocol`, so that the next target is asked. Source: the class table of the
 * engine's rules.
 */
export function classOfStatus(status: number): ProviderFailureClass {
  return CLASS_BY_STATUS.get(status) ?? (status >= 500 && status <= 599 ? 'overload' : 'protocol');
}
