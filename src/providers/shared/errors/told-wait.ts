import type { JsonRecord } from '../json/value.ts';
import { asRecord } from '../json/value.ts';
import { parseRfc3339 } from '../headers/instants.ts';
import type { ProviderError } from './provider-error.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Fields that hold a wait as a number of seconds, or as a text with units; without separators, in lower case. */
const WAITS: ReadonlySet<string> = new Set([
  'retrydelay',
  'retryafter',
  'retryafterseconds',
  'retryaftersec',
  'retryinseconds',
  'resetseconds',
  'resetinseconds',
  'resetsinseconds',
  'resetafter',
  'resetafterseconds',
  'resetsafterseconds',
  'quotaresetdelay',
  'waitseconds',
  // Of a model that is being loaded.
  'estimatedtime',
]);
const WAITS_MS: ReadonlySet<string> = new Set(['retryafterms', 'retryinms', 'retrydelayms', 'resetinms', 'waitms']);
/** Fields that hold an instant: seconds or milliseconds since the epoch, or RFC 3339. */
const INSTANTS: ReadonlySet<string> = new Set([
  'resetsat',
  'resetat',
  'quotaresettimestamp',
  'retryat',
  'xratelimitreset',
]);

/** Where a wait may stand; anything else may repeat the request. */
const PLACES = ['error', 'errors', 'detail', 'details', 'metadata', 'headers', 'parameters', 'innererror'] as const;

const UNITS: readonly (readonly [name: RegExp, ms: number])[] = [
  [/^(?:ms|milliseconds?)$/i, 1],
  [/^(?:s|secs?|seconds?)$/i, SECOND_MS],
  [/^(?:m|mins?|minutes?)$/i, MINUTE_MS],
  [/^(?:h|hrs?|hours?)$/i, HOUR_MS],
  [/^(?:d|days?)$/i, 24 * HOUR_MS],
];

const AMOUNT = String.raw`\d{1,12}(?:\.\d{1,12})?\s{0,2}(?:milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)(?![a-z])`;
const AMOUNTS = String.raw`${AMOUNT}(?:(?:,|\s|and\b){0,4}${AMOUNT}){0,4}`;

/** "try again in 55 seconds", "Please retry in 45.8s", "reset after 1m2.5s", "wait for 30 s", "retry after 60". */
const WAIT_WORDS = new RegExp(
  String.raw`\b(?:try(?:ing)? again|retry(?:ing)?|resets?|reset time|available again|wait)\b(?:[^\d.\n]{0,40}?\b(?:in|after|for|wait|at least|another)[: ]|(?<=wait) )[: ]?(?:about |approximately |at least )?(${AMOUNTS}|\d{1,6}(?:\.\d{1,3})?(?![\d.:-]\S))`,
  'i',
);

/** "replenished in 00:12:45", as .NET writes durations: of days, hours, minutes and seconds. No time of the day follows an "in". */
const CLOCK_WORDS =
  /\b(?:replenished|try again|retry|resets?|available again) in (?:(\d{1,3})\.)?(\d{1,2}):([0-5]\d):([0-5]\d)(?![\d:])/i;

/**
 * Reads how long an error asks to wait, in milliseconds, 0 to 3,600,000; of several the longest. Fields count before words.
 * Instants are reckoned from `nowMs`, the time of the answer in milliseconds since the epoch; without it they say nothing.
 */
export function toldWaitMs(
  { body, words }: Pick<ProviderError, 'body' | 'words'>,
  nowMs: number | undefined,
): number | undefined {
  const waits: number[] = [];
  collect(body, nowMs, waits, 6);
  const wait = waits.length > 0 ? Math.max(...waits) : waitInWords(words);
  return wait === undefined ? undefined : Math.min(Math.ceil(wait), HOUR_MS);
}

function collect(value: unknown, nowMs: number | undefined, waits: number[], depth: number): void {
  if (depth === 0) return;
  if (Array.isArray(value)) for (const item of value.slice(0, 16)) collect(item, nowMs, waits, depth - 1);
  const record = asRecord(value);
  if (record === undefined) return;
  for (const [field, said] of Object.entries(record).slice(0, 64)) {
    const wait = waitOf(field.toLowerCase().replaceAll(/[^a-z]/g, ''), said, nowMs);
    if (wait !== undefined && wait >= 0) waits.push(wait);
  }
  for (const place of PLACES) collect(record[place], nowMs, waits, depth - 1);
}

function waitOf(field: string, said: unknown, nowMs: number | undefined): number | undefined {
  if (WAITS.has(field)) return durationMs(said);
  if (WAITS_MS.has(field)) return numberOf(said);
  if (!INSTANTS.has(field) || nowMs === undefined) return undefined;
  const at = numberOf(said);
  // Seconds since the epoch have ten digits, milliseconds thirteen; what is smaller is a wait.
  if (at === undefined) return typeof said === 'string' ? fromNow(parseRfc3339(said), nowMs) : undefined;
  if (at < 1e9) return at * SECOND_MS;
  return fromNow(at < 1e12 ? at * SECOND_MS : at, nowMs);
}

function fromNow(atMs: number | undefined, nowMs: number): number | undefined {
  return atMs === undefined ? undefined : Math.max(0, atMs - nowMs);
}

function durationMs(said: unknown): number | undefined {
  const seconds = numberOf(said) ?? secondsOf(asRecord(said));
  if (seconds !== undefined) return seconds * SECOND_MS;
  return typeof said === 'string' && new RegExp(`^${AMOUNTS}$`, 'i').test(said.trim()) ? sumOf(said) : undefined;
}

/** Google's Duration, where somebody wrote it out. */
function secondsOf(duration: JsonRecord | undefined): number | undefined {
  const seconds = numberOf(duration?.seconds);
  return seconds === undefined ? undefined : seconds + (numberOf(duration?.nanos) ?? 0) / 1e9;
}

function numberOf(said: unknown): number | undefined {
  const value = typeof said === 'string' && /^\s*\d{1,15}(?:\.\d{1,12})?\s*$/.test(said) ? Number(said) : said;
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

function waitInWords(words: string): number | undefined {
  const [, amounts] = WAIT_WORDS.exec(words) ?? [];
  if (amounts === undefined) return clockMs(words);
  return numberOf(amounts) === undefined ? sumOf(amounts) : Number(amounts) * SECOND_MS;
}

function clockMs(words: string): number | undefined {
  const clock = CLOCK_WORDS.exec(words);
  if (clock === null) return undefined;
  const [days, hours, minutes, seconds] = clock.slice(1).map((part) => Number(part ?? 0));
  return (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * MINUTE_MS + (seconds ?? 0) * SECOND_MS;
}

function sumOf(amounts: string): number {
  let sum = 0;
  for (const [, amount = '', unit = ''] of amounts.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/gi)) {
    sum += Number(amount) * (UNITS.find(([name]) => name.test(unit))?.[1] ?? 0);
  }
  return sum;
}
