/** @import { FailureReason } from '../../../core/failure.ts' */

/**
 * What the reasons mean, in few words.
 *
 * @satisfies {Record<FailureReason, string>}
 */
const MEANINGS = {
  INVALID_REQUEST: 'the request is wrong',
  CONTEXT_LENGTH_EXCEEDED: 'the prompt is too long for the model',
  UNSUPPORTED_PARAMETER: 'no target can do what was asked for',
  PROMPT_BLOCKED: 'the provider blocks the prompt',
  COST_LIMIT_EXCEEDED: 'it would cost more than the caller allows',
  MODEL_NOT_FOUND: 'there is no such model',
  ROUTE_NOT_FOUND: 'there is no such route',
  TARGET_NOT_FOUND: 'there is no such target',
  NO_PROVIDER_CONFIGURED: 'no provider is configured',
  AUTH_REQUIRED: 'the caller shows no credentials',
  AUTH_INVALID: "the caller's credentials are wrong",
  MODEL_FORBIDDEN: 'the caller may not use it',
  CALLER_RATE_LIMITED: 'the caller has reached a limit',
  BUDGET_EXHAUSTED: 'the budget of the caller is spent',
  LIMITS_UNAVAILABLE: 'the store of limits does not answer',
  LEDGER_NOT_CONFIGURED: 'there is no ledger',
  LEDGER_UNAVAILABLE: 'the ledger does not answer',
  USAGE_FORBIDDEN: 'the caller may not see it',
  OVERLOADED: 'there is too much to do at a time',
  SHUTTING_DOWN: 'the gateway goes down',
  CIRCUIT_OPEN: 'every circuit is open',
  DEADLINE: "the caller's deadline has passed",
  CANCELLED: 'the caller has left',
  SLOW_READER: 'the caller does not read',
  PROVIDER_AUTH_FAILED: 'the provider refuses the key',
  PROVIDER_MODEL_NOT_FOUND: 'the provider does not have the model',
  PROVIDER_RATE_LIMITED: 'the provider limits the rate',
  PROVIDER_QUOTA_EXHAUSTED: 'the quota at the provider is used up',
  PROVIDER_UNAVAILABLE: 'the provider is down, or cannot be reached',
  PROVIDER_TIMEOUT: 'the provider is too slow',
  PROVIDER_PROTOCOL_ERROR: 'the provider answers what cannot be read',
  STREAM_INTERRUPTED: 'the answer broke off',
  ALL_PROVIDERS_FAILED: 'every target has failed',
  INTERNAL: 'a fault of the gateway',
  SCHEMA_MISMATCH: 'the answer does not fit its schema',
  MESSAGE_TOO_LARGE: 'the message is too large',
};

/** @type {ReadonlyMap<string, string>} */
const KNOWN = new Map(Object.entries(MEANINGS));

/** @param {string} reason @returns {string} */
export function meaningOf(reason) {
  return KNOWN.get(reason) ?? '';
}

/** Why no call goes to a target. */
const SUSPENSIONS = new Map([
  ['auth', 'key refused'],
  ['quota', 'quota used up'],
  ['not_found', 'model gone'],
  ['forced', 'forced open'],
  ['disabled', 'disabled'],
]);

/** @param {string} reason @returns {string} */
export function suspensionOf(reason) {
  return SUSPENSIONS.get(reason) ?? reason.replaceAll('_', ' ');
}
