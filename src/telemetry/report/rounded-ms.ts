/** Rounds milliseconds to whole microseconds: more digits say nothing. */
export function roundedMs(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
