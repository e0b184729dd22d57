import type { Failure, FailureClass } from '../../../src/core/failure.ts';

/** A row of the class table of the rules. */
export interface ClassRow {
  readonly verdict: 'failure' | 'neutral';
  /** Whether one repeat on the same target may come before the next target. */
  readonly mayRepeat: boolean;
  /** Whether another target may be asked. */
  readonly mayGoOn: boolean;
  /** Whether a later round may come back to the target. */
  readonly comesBack: boolean;
  /** Whether a request makes one repeat in all behind failures of such classes. */
  readonly comesBackOnce?: true;
  /** Ceiling of the first wait, in milliseconds; absent: the configured one. */
  readonly firstWaitMs?: number;
  /** How long nothing goes to the target, in milliseconds. */
  readonly suspendMs?: number;
}

const FAULT = { verdict: 'failure', mayRepeat: false, mayGoOn: true, comesBack: true } as const;
const NOBODYS = { verdict: 'neutral', mayRepeat: false, mayGoOn: true, comesBack: true } as const;
const NEEDS_A_PERSON = { ...NOBODYS, comesBack: false } as const;
const THE_CALLERS = { ...NEEDS_A_PERSON, mayGoOn: false } as const;

/** The class table once more, written from the rules (C1 to C22), so that a slip in the engine's is seen. */
const CLASS_TABLE = {
  connect: { ...FAULT, mayRepeat: true, firstWaitMs: 50 },
  tls: { ...FAULT, comesBack: false },
  stale_socket: NOBODYS,
  reset: { ...FAULT, mayRepeat: true, firstWaitMs: 50 },
  silence: FAULT,
  cut_short: NOBODYS,
  overload: { ...FAULT, mayRepeat: true },
  rate_limit: { ...NOBODYS, mayRepeat: true },
  quota: { ...NEEDS_A_PERSON, suspendMs: 300_000 },
  auth: { ...NEEDS_A_PERSON, suspendMs: 60_000 },
  not_found: { ...NEEDS_A_PERSON, suspendMs: 60_000 },
  bad_request: THE_CALLERS,
  capability: NEEDS_A_PERSON,
  content: THE_CALLERS,
  protocol: { ...FAULT, comesBackOnce: true },
  conflict: { ...NOBODYS, mayRepeat: true },
  interrupted: { ...FAULT, mayGoOn: false },
  client_cancel: THE_CALLERS,
  slow_reader: THE_CALLERS,
  local_refusal: NEEDS_A_PERSON,
  internal: NEEDS_A_PERSON,
  mismatch: NEEDS_A_PERSON,
  budget: THE_CALLERS,
} as const satisfies Record<FailureClass, ClassRow>;

/** The row of a class. */
export function rowOf(failureClass: FailureClass): ClassRow {
  return CLASS_TABLE[failureClass];
}

/**
 * Whether another target may be asked behind a failure. A request that is refused in unknown words may be, where another server
 * than the provider's own has refused it (C12).
 */
export function mayGoOn({ class: failureClass, unrecognised }: Failure, isForeign: boolean): boolean {
  return rowOf(failureClass).mayGoOn || (failureClass === 'bad_request' && unrecognised === true && isForeign);
}
