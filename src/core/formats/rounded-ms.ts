/** Rounds milliseconds to whole microseconds, where they are told: more digits say nothing. What is not known stays undefined. */
export function roundedMs(ms: number): number;
export function roundedMs(ms: number | undefined): number | undefined;
export function roundedMs(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms * 1_000) / 1_000;
}
