import type { ClassRule, Failure } from '../../core/failure.ts';
import { CLASS_RULES } from '../../core/failure.ts';
import type { Recovery } from '../port/call.ts';

/** Where a request stands when its answer has broken off in the middle. */
export interface BreakSituation {
  /** What broke it, before what it means to the caller. */
  readonly cause: Failure;
  /** How the caller wants a stream to recover; undefined where it has got nothing yet, since there is no stream. */
  readonly recovery: Recovery | undefined;
  /** Whether the request may repeat anything more (engine rule B3). */
  readonly hasRepeats: boolean;
  /** Whether the target that broke off allows another restart (engine rule R2). */
  readonly mayRestart: boolean;
  readonly remainingMs: number;
  readonly minAttemptMs: number;
}

/** What follows: the request ends, the stream begins anew, or the next target is asked as if nothing had come. */
export type Recovered = 'END' | 'RESTART' | 'NEXT';

/** Decides what becomes of a request whose answer has broken off in the middle (engine rules P1, P1a and U3). */
export function recover(situation: BreakSituation): Recovered {
  const { cause, recovery, hasRepeats, mayRestart, remainingMs, minAttemptMs } = situation;
  if (recovery === undefined) return hasRepeats ? 'NEXT' : 'END';
  const isInTime = remainingMs >= minAttemptMs;
  return recovery === 'RESTART' && isCurable(cause) && hasRepeats && mayRestart && isInTime ? 'RESTART' : 'END';
}

/** Whether another target may do better: not where the request, the caller or this gateway is at fault. */
function isCurable(cause: Failure): boolean {
  const rule: ClassRule = CLASS_RULES[cause.class];
  return rule.next === 'yes' && cause.class !== 'internal' && cause.reason !== 'DEADLINE';
}
