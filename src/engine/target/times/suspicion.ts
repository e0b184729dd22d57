import type { Failure } from '../../../core/failure.ts';
import { silence } from '../../port/failures.ts';
import type { Silences } from './silences.ts';

/** An attempt that has ended without any output, times in milliseconds. */
export interface SilentAttempt {
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  /** How long it was to wait for its first output, whatever sets the limit. */
  readonly limitMs: number;
  /** From when on its silence was suspicious. */
  readonly suspectAfterMs: number;
  /** From when on it was the provider's fault. */
  readonly blameAfterMs: number;
  /** How many times as long as usual its learnt limit was; undefined where nothing was known, and of a probe. */
  readonly trial: number | undefined;
}

/**
 * Says whose fault a silence was that our own limits ended: the provider's where it was suspicious and the third in a row, whatever
 * class it had for being too short (engine rule X1). All other failures are returned as they are.
 */
export function withSuspicion(failure: Failure, attempt: SilentAttempt, silences: Silences): Failure {
  const { startedAtMs, endedAtMs, limitMs, suspectAfterMs, blameAfterMs, trial } = attempt;
  if (failure.class !== 'silence' && failure.class !== 'cut_short') return failure;
  // Who was held up for longer than the limit has not listened (engine rule X2).
  if (limitMs < suspectAfterMs || endedAtMs - startedAtMs > 2 * limitMs) return failure;
  if (failure.class === 'silence' && limitMs >= blameAfterMs && trial !== undefined) silences.leftAt(trial);
  const answersNobody = silences.silent(startedAtMs, endedAtMs, suspectAfterMs);
  return answersNobody && failure.class === 'cut_short' ? silence() : failure;
}
