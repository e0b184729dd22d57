const HOUR_MS = 3_600_000;

const UNIT_MS: Readonly<Record<string, number>> = { h: HOUR_MS, m: 60_000, s: 1_000, ms: 1 };

/** Reads a number of units as milliseconds; undefined where it is absent, negative or malformed. */
export function parseNumber(text: string | undefined, unitMs: number): number | undefined {
  return text !== undefined && /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) * unitMs : undefined;
}

/** Reads when a limit refills, in milliseconds from now: OpenAI writes `6m0s` or `12ms`; Azure a bare number of seconds. */
export function parseReset(text: string | undefined): number | undefined {
  const seconds = parseNumber(text, 1_000);
  if (seconds !== undefined || text === undefined || !/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)) return seconds;
  let sum = 0;
  for (const [, amount = '', unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)) {
    sum += Number(amount) * (UNIT_MS[unit] ?? 0);
  }
  return sum;
}
