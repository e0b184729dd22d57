/** Tells whether a figure can be counted: there, finite and not negative. A single NaN would spoil a counter for good. */
export function isAmount(value: number | undefined): value is number {
  return value !== undefined && value >= 0 && value < Infinity;
}

/** Converts milliseconds to seconds. */
export function toSeconds(ms: number): number {
  return ms / 1_000;
}
