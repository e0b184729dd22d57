import type { Failure, FailureClass } from '../../core/failure.ts';

/** What breaks an answer off; other failures are words of the provider, who says by them that there is none. */
const BREAKS_OFF: ReadonlySet<FailureClass> = new Set(['reset', 'silence', 'cut_short', 'protocol']);

/** What a failed attempt was. */
export interface FailedCall {
  readonly cause: Failure;
  /** Whether the upstream call streams. */
  readonly streams: boolean;
  /** Status of the head of the answer; undefined where none came. */
  readonly httpStatus: number | undefined;
}

/**
 * Whether an answer that is not streamed broke off behind a head that promised one: it has taken its time and may be paid, so that
 * the same target is asked for it again last, and once (engine rule R3).
 */
export function brokeBehindHead({ cause, streams, httpStatus = 0 }: FailedCall): boolean {
  return !streams && httpStatus >= 200 && httpStatus <= 299 && BREAKS_OFF.has(cause.class);
}
