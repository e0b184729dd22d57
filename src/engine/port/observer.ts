import type { Failure } from '../../core/failure.ts';
import type { AttemptRecord } from './call.ts';

/** Hears what happens in the engine, synchronously; must not throw and must be quick. */
export interface EngineObserver {
  attemptEnded?(record: AttemptRecord): void;
  /** Something about the availability of a target may have changed. */
  targetChanged?(target: string): void;
  /** An operator should know: a key is refused, a quota is used up, a model is missing, a certificate is wrong. */
  alert?(target: string, failure: Failure): void;
}
