/**
 * Classes of failures: C1 to C22 of the engine's rules, in that order, and a complete answer of the wrong form.
 */
export type FailureClass =
  | 'connect'
  | 'tls'
  | 'stale_socket'
  | 'reset'
  | 'silence'
  | 'cut_short'
  | 'overload'
  | 'rate_limit'
  | 'quota'
  | 'auth'
  | 'not_found'
  | 'bad_request'
  | 'capability'
  | 'content'
  | 'protocol'
  | 'conflict'
  | 'interrupted'
  | 'client_cancel'
  | 'slow_reader'
  | 'local_refusal'
  | 'internal'
  | 'budget'
  | 'mismatch';

/** Reasons of the contract's `ErrorReason`, without the prefix. */
export type FailureReason =
  | 'INVALID_REQUEST'
  | 'CONTEXT_LENGTH_EXCEEDED'
  | 'UNSUPPORTED_PARAMETER'
  | 'PROMPT_BLOCKED'
  | 'COST_LIMIT_EXCEEDED'
  | 'MODEL_NOT_FOUND'
  | 'ROUTE_NOT_FOUND'
  | 'TARGET_NOT_FOUND'
  | 'NO_PROVIDER_CONFIGURED'
  | 'AUTH_REQUIRED'
  | 'AUTH_INVALID'
  | 'MODEL_FORBIDDEN'
  | 'CALLER_RATE_LIMITED'
  | 'BUDGET_EXHAUSTED'
  | 'LIMITS_UNAVAILABLE'
  | 'LEDGER_NOT_CONFIGURED'
  | 'LEDGER_UNAVAILABLE'
  | 'USAGE_FORBIDDEN'
  | 'OVERLOADED'
  | 'SHUTTING_DOWN'
  | 'CIRCUIT_OPEN'
  | 'DEADLINE'
  | 'CANCELLED'
  | 'SLOW_READER'
  | 'PROVIDER_AUTH_FAILED'
  | 'PROVIDER_MODEL_NOT_FOUND'
  | 'PROVIDER_RATE_LIMITED'
  | 'PROVIDER_QUOTA_EXHAUSTED'
  | 'PROVIDER_UNAVAILABLE'
  | 'PROVIDER_TIMEOUT'
  | 'PROVIDER_PROTOCOL_ERROR'
  | 'STREAM_INTERRUPTED'
  | 'ALL_PROVIDERS_FAILED'
  | 'INTERNAL'
  | 'SCHEMA_MISMATCH'
  | 'MESSAGE_TOO_LARGE';

/** Names of the gRPC status codes that the gateway answers with. */
export type StatusName =
  | 'CANCELLED'
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'INTERNAL'
  | 'UNAVAILABLE'
  | 'UNAUTHENTICATED';

/** The one type of failure, made where something went wrong and carried unchanged from there. */
export interface Failure {
  readonly class: FailureClass;
  readonly reason: FailureReason;
  /** One sentence of ours: never a provider's words, a key, a URL or a prompt (engine rule X5). */
  readonly message: string;
  /** HTTP status of the provider. */
  readonly httpStatus?: number | undefined;
  /** The provider's error code, or the network's, such as `ECONNREFUSED`: letters, digits and `._-`, at most 64. */
  readonly providerCode?: string | undefined;
  /** The provider's id of the call. */
  readonly providerRequestId?: string | undefined;
  /** How long the provider asked to wait, in milliseconds, 0 to 3,600,000. */
  readonly retryAfterMs?: number | undefined;
  /** Whether the provider said that a repeat is of no use (`x-should-retry: false`). */
  readonly repeatIsUseless?: boolean | undefined;
  /** Whether the call certainly never reached the provider, so that it cost nothing. */
  readonly neverSent?: boolean | undefined;
  /** Whether a refusal of the request (400, 422) said nothing that is known, so that it may be of this server alone. */
  readonly unrecognised?: boolean | undefined;
  /** The field of the request that is to blame, such as `options.temperature`. */
  readonly field?: string | undefined;
  /** What the provider refused of what the gateway writes on its own, in the adapter's word: the caller cannot mend it. */
  readonly quirk?: string | undefined;
  /** What broke off an answer of which the caller has got some: the reason that it would have had before. */
  readonly brokenBy?: FailureReason | undefined;
  /** Which limit or budget of a caller is reached. */
  readonly quota?: ReachedQuota | undefined;
  /** What was caught. For the debug log alone, never for the wire. */
  readonly cause?: unknown;
}

/** A limit, or a budget, of a caller or a group that lets a call go no further. */
export interface ReachedQuota {
  /** `caller:billing` or `group:backend`. */
  readonly subject: string;
  /** The limit, as in `600 requests per minute`. */
  readonly description: string;
  /** What programs are told besides: `limit`, or `budget` and `renewsAt`. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** What an attempt's end says about the health of its target (engine, "Three outcomes"). */
export type Verdict = 'success' | 'failure' | 'neutral';

/** What the engine does after a failure of a class; the rows of the engine's class table. */
export interface ClassRule {
  readonly verdict: 'failure' | 'neutral';
  /** Repeat on the same target while another is available: never, at once, after a short wait, or only as Retry-After allows. */
  readonly sameTarget: 'never' | 'at_once' | 'backoff' | 'retry_after';
  /**
   * Whether the next target may be asked. `larger`: one that declares more, or declares nothing. `no` has an exception, which
   * needs more than the class: refusals in unknown words (C12).
   */
  readonly nextTarget: 'no' | 'yes' | 'larger';
  /**
   * Whether a later round may visit the target again. `once`: what hardly ever heals; behind all failures of such classes
   * together a request makes one repeat, in whatever order it repeats.
   */
  readonly laterRounds: boolean | 'once';
  /** Ceiling of the wait before a repeat within a visit, in milliseconds (engine rule R5). Absent: that of all other classes. */
  readonly backoffBaseMs?: number;
  /** How long, in milliseconds, no call goes to the target (or to its model, for `not_found`). */
  readonly suspendMs?: number;
}

/** Class to action: the class table of the engine's rules. */
export const CLASS_RULES = {
  connect: { verdict: 'failure', sameTarget: 'backoff', nextTarget: 'yes', laterRounds: true, backoffBaseMs: 50 },
  tls: { verdict: 'failure', sameTarget: 'never', nextTarget: 'yes', laterRounds: false },
  stale_socket: { verdict: 'neutral', sameTarget: 'at_once', nextTarget: 'yes', laterRounds: true },
  reset: { verdict: 'failure', sameTarget: 'backoff', nextTarget: 'yes', laterRounds: true, backoffBaseMs: 50 },
  silence: { verdict: 'failure', sameTarget: 'never', nextTarget: 'yes', laterRounds: true },
  cut_short: { verdict: 'neutral', sameTarget: 'never', nextTarget: 'yes', laterRounds: true },
  overload: { verdict: 'failure', sameTarget: 'backoff', nextTarget: 'yes', laterRounds: true },
  rate_limit: { verdict: 'neutral', sameTarget: 'retry_after', nextTarget: 'yes', laterRounds: true },
  quota: { verdict: 'neutral', sameTarget: 'never', nextTarget: 'yes', laterRounds: false, suspendMs: 300_000 },
  auth: { verdict: 'neutral', sameTarget: 'never', nextTarget: 'yes', laterRounds: false, suspendMs: 60_000 },
  not_found: { verdict: 'neutral', sameTarget: 'never', nextTarget: 'yes', laterRounds: false, suspendMs: 60_000 },
  bad_request: { verdict: 'neutral', sameTarget: 'never', nextTarget: 'no', laterRounds: false },
  capability: { verdict: 'neutral', sameTarget: 'never', nextTarget: 'larger', laterRounds: false },
  content: { verdict: 'neutral', sameTarget: 'never', nextTarget: 'no', laterRounds: false },
  protocol: { verdict: 'failure', sameTarget: 'never', nextTarget: 'yes', laterRounds: 'once' },
  conflict: { verdict: 'neutral', sameTarget: 'backoff', nextTarget: 'yes', laterRounds: true },
  interrupted: { verdict: 'failure', sameTarget: 'never', nextTarget: 'no', laterRounds: true },
  client_cancel: { verdict: 'neutral', sameTarget: 'never', nextTarget: 'no', laterRounds: false },
  slow_reader: { verdict: 'neutral', sameTarget: 'never', nextTarget: 'no', laterRounds: false },
  local_refusal: { verdict: 'neutral', sameTarget: 'never', nextTarget: 'yes', laterRounds: false },
  internal: { verdict: 'neutral', sameTarget: 'never', nextTarget: 'yes', laterRounds: false },
  budget: { verdict: 'neutral', sameTarget: 'never', nextTarget: 'no', laterRounds: false },
  mismatch: { verdict: 'neutral', sameTarget: 'never', nextTarget: 'yes', laterRounds: false },
} as const satisfies Record<FailureClass, ClassRule>;

/** Reason to gRPC status, where a failure of that reason is what the caller gets. */
export const REASON_STATUS = {
  INVALID_REQUEST: 'INVALID_ARGUMENT',
  CONTEXT_LENGTH_EXCEEDED: 'INVALID_ARGUMENT',
  UNSUPPORTED_PARAMETER: 'INVALID_ARGUMENT',
  PROMPT_BLOCKED: 'INVALID_ARGUMENT',
  COST_LIMIT_EXCEEDED: 'INVALID_ARGUMENT',
  MODEL_NOT_FOUND: 'NOT_FOUND',
  ROUTE_NOT_FOUND: 'NOT_FOUND',
  TARGET_NOT_FOUND: 'NOT_FOUND',
  NO_PROVIDER_CONFIGURED: 'FAILED_PRECONDITION',
  AUTH_REQUIRED: 'UNAUTHENTICATED',
  AUTH_INVALID: 'UNAUTHENTICATED',
  MODEL_FORBIDDEN: 'PERMISSION_DENIED',
  CALLER_RATE_LIMITED: 'RESOURCE_EXHAUSTED',
  BUDGET_EXHAUSTED: 'RESOURCE_EXHAUSTED',
  LIMITS_UNAVAILABLE: 'UNAVAILABLE',
  LEDGER_NOT_CONFIGURED: 'FAILED_PRECONDITION',
  LEDGER_UNAVAILABLE: 'UNAVAILABLE',
  USAGE_FORBIDDEN: 'PERMISSION_DENIED',
  OVERLOADED: 'UNAVAILABLE',
  SHUTTING_DOWN: 'UNAVAILABLE',
  CIRCUIT_OPEN: 'UNAVAILABLE',
  DEADLINE: 'DEADLINE_EXCEEDED',
  CANCELLED: 'CANCELLED',
  SLOW_READER: 'CANCELLED',
  PROVIDER_AUTH_FAILED: 'INTERNAL',
  PROVIDER_MODEL_NOT_FOUND: 'INTERNAL',
  PROVIDER_RATE_LIMITED: 'RESOURCE_EXHAUSTED',
  PROVIDER_QUOTA_EXHAUSTED: 'RESOURCE_EXHAUSTED',
  PROVIDER_UNAVAILABLE: 'UNAVAILABLE',
  PROVIDER_TIMEOUT: 'UNAVAILABLE',
  PROVIDER_PROTOCOL_ERROR: 'INTERNAL',
  STREAM_INTERRUPTED: 'ABORTED',
  ALL_PROVIDERS_FAILED: 'UNAVAILABLE',
  INTERNAL: 'INTERNAL',
  SCHEMA_MISMATCH: 'ABORTED',
  MESSAGE_TOO_LARGE: 'RESOURCE_EXHAUSTED',
} as const satisfies Record<FailureReason, StatusName>;

/** Most names that a message says. */
const MAX_NAMES = 10;

/** Most characters of names that are said; the first is said whatever its length, which the configuration bounds. */
const MAX_CHARACTERS = 300;

/** Says in a message which names there are, in the order given: all of a few, of many the first and how many more. */
export function namedChoices(names: Iterable<string>): string {
  const all = [...new Set(names)];
  let characters = 0;
  const said = all.slice(0, MAX_NAMES).filter((name, index) => {
    characters += name.length;
    return index === 0 || characters <= MAX_CHARACTERS;
  });
  if (all.length === 0) return 'none';
  return said.length === all.length ? said.join(', ') : `${said.join(', ')} and ${all.length - said.length} more`;
}

/** Carries a {@link Failure} through `throw`, where a return value has no way out. */
export class FailureError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message, { cause: failure.cause });
    this.name = 'FailureError';
    this.failure = failure;
  }
}
