import type { FailureReason, StatusName } from '../../core/failure.ts';

/** With what the process ends, by kind. docs/command-line.md says it to users; scripts rely on it. */
export const EXIT = {
  /** It was done. */
  ok: 0,
  /** A fault of the gateway or of this command, or a configuration that is wrong. */
  fault: 1,
  /** The command line, the prompt or a file that it names cannot be used; nothing was asked. */
  usage: 2,
  /** The gateway refused the request: the same request is refused again. */
  refused: 3,
  /** The gateway cannot be reached, has no room, or no provider has answered: later it may. */
  unavailable: 4,
  /** Time was up. */
  deadline: 5,
  /** Ctrl-C, as a shell counts SIGINT. */
  interrupted: 130,
  /** Whoever read the output has left, as a shell counts SIGPIPE. */
  outputClosed: 141,
  /** SIGTERM. */
  terminated: 143,
} as const;

/** A status of {@link EXIT}. */
export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

const BY_REASON = {
  INVALID_REQUEST: EXIT.refused,
  CONTEXT_LENGTH_EXCEEDED: EXIT.refused,
  UNSUPPORTED_PARAMETER: EXIT.refused,
  PROMPT_BLOCKED: EXIT.refused,
  COST_LIMIT_EXCEEDED: EXIT.refused,
  MODEL_NOT_FOUND: EXIT.refused,
  ROUTE_NOT_FOUND: EXIT.refused,
  TARGET_NOT_FOUND: EXIT.refused,
  NO_PROVIDER_CONFIGURED: EXIT.unavailable,
  AUTH_REQUIRED: EXIT.refused,
  AUTH_INVALID: EXIT.refused,
  MODEL_FORBIDDEN: EXIT.refused,
  CALLER_RATE_LIMITED: EXIT.unavailable,
  BUDGET_EXHAUSTED: EXIT.refused,
  LIMITS_UNAVAILABLE: EXIT.unavailable,
  LEDGER_NOT_CONFIGURED: EXIT.refused,
  LEDGER_UNAVAILABLE: EXIT.unavailable,
  USAGE_FORBIDDEN: EXIT.refused,
  OVERLOADED: EXIT.unavailable,
  SHUTTING_DOWN: EXIT.unavailable,
  CIRCUIT_OPEN: EXIT.unavailable,
  DEADLINE: EXIT.deadline,
  CANCELLED: EXIT.unavailable,
  SLOW_READER: EXIT.unavailable,
  PROVIDER_AUTH_FAILED: EXIT.unavailable,
  PROVIDER_MODEL_NOT_FOUND: EXIT.unavailable,
  PROVIDER_RATE_LIMITED: EXIT.unavailable,
  PROVIDER_QUOTA_EXHAUSTED: EXIT.unavailable,
  PROVIDER_UNAVAILABLE: EXIT.unavailable,
  PROVIDER_TIMEOUT: EXIT.unavailable,
  PROVIDER_PROTOCOL_ERROR: EXIT.unavailable,
  STREAM_INTERRUPTED: EXIT.unavailable,
  ALL_PROVIDERS_FAILED: EXIT.unavailable,
  INTERNAL: EXIT.fault,
  SCHEMA_MISMATCH: EXIT.unavailable,
  MESSAGE_TOO_LARGE: EXIT.refused,
} as const satisfies Record<FailureReason, ExitStatus>;

/** Of errors that bear no reason of the gateway: a proxy's, or made here. All others are faults. */
const BY_CODE: Readonly<Record<string, ExitStatus>> = {
  CANCELLED: EXIT.unavailable,
  INVALID_ARGUMENT: EXIT.refused,
  NOT_FOUND: EXIT.refused,
  PERMISSION_DENIED: EXIT.refused,
  UNAUTHENTICATED: EXIT.refused,
  FAILED_PRECONDITION: EXIT.refused,
  RESOURCE_EXHAUSTED: EXIT.unavailable,
  UNAVAILABLE: EXIT.unavailable,
  ABORTED: EXIT.unavailable,
  DEADLINE_EXCEEDED: EXIT.deadline,
} satisfies Partial<Record<StatusName, ExitStatus>>;

/**
 * Returns with what a failed call ends the process.
 *
 * @param code - name of the gRPC status, such as `NOT_FOUND`
 * @param reason - that of the gateway; empty for none, and one that is newer than this program counts as none
 */
export function exitStatusOf(code: string, reason: string): ExitStatus {
  const byReason: Readonly<Record<string, ExitStatus>> = BY_REASON;
  return byReason[reason] ?? BY_CODE[code] ?? EXIT.fault;
}
