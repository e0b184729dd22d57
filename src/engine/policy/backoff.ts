import type { ClassRule } from '../../core/failure.ts';
import type { Jitter } from '../port/config.ts';

/** Ceiling of the wait before a repeat within a visit where another target is available, in milliseconds (engine rule R5). */
const NEXT_TO_ANOTHER_MS = 250;

/**
 * Returns the ceiling of the wait before a repeat within a visit, in milliseconds (engine rule R5): that of the class, where it has
 * one, and never more than the first of the configured list.
 * @param anotherIsAvailable whether another target could be asked meanwhile, so that the request need not wait for this one
 */
export function visitCeilingMs(
  { backoffBaseMs }: ClassRule,
  anotherIsAvailable: boolean,
  listMs: readonly number[],
): number {
  const mostMs = backoffBaseMs ?? (anotherIsAvailable ? NEXT_TO_ANOTHER_MS : Number.POSITIVE_INFINITY);
  return Math.min(mostMs, listMs[0] ?? 0);
}

/**
 * Returns the ceiling of the wait before a round, in milliseconds (engine rule R5): that of the last repeat which it has room for.
 * @param repeats how many the request has made so far
 * @param revisits how many targets the round may come back to, at least 1
 * @param maxRepeats how many a request may make
 * @param listMs ceilings of the first repeat and those behind it; the last one is that of all further ones
 */
export function roundCeilingMs(
  repeats: number,
  revisits: number,
  maxRepeats: number,
  listMs: readonly number[],
): number {
  const last = Math.min(repeats + revisits, maxRepeats) - 1;
  return listMs[Math.min(last, listMs.length - 1)] ?? 0;
}

/** Returns a wait below its ceiling: drawn evenly from 0 with full jitter, the ceiling itself without. */
export function backoffMs(ceilingMs: number, jitter: Jitter, random: () => number): number {
  return jitter === 'FULL' ? random() * ceilingMs : ceilingMs;
}
