import type { FailureClass } from '../../core/failure.ts';
import { CLASS_RULES } from '../../core/failure.ts';
import type { ClassRule } from '../../core/failure.ts';
import type { Jitter } from '../port/config.ts';

/**
 * Returns the ceiling of the wait before the repeat number `repeat` (0 for the first), in milliseconds (engine rule R5).
 * Connection failures begin at 50 ms and double; the others take the configured list, of which the last one repeats.
 */
export function backoffCeilingMs(failureClass: FailureClass, repeat: number, backoffMs: readonly number[]): number {
  const rule: ClassRule = CLASS_RULES[failureClass];
  const configuredMs = backoffMs[Math.min(repeat, backoffMs.length - 1)] ?? 0;
  return rule.backoffBaseMs === undefined ? configuredMs : Math.min(rule.backoffBaseMs * 2 ** repeat, configuredMs);
}

/** Returns a wait below its ceiling: drawn evenly from 0 with full jitter, the ceiling itself without. */
export function backoffMs(ceilingMs: number, jitter: Jitter, random: () => number): number {
  return jitter === 'FULL' ? random() * ceilingMs : ceilingMs;
}
