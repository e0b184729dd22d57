import type { Failure } from '../core/failure.ts';
import type { ErrorResponse } from './adapter.ts';
import { parseHttpDate, parseRfc3339 } from './header-instants.ts';

/** The part of a {@link Failure} that adapters read from the headers of an answer. */
export type HeaderFindings = Pick<Failure, 'retryAfterMs' | 'repeatIsUseless'>;

type Headers = ErrorResponse['headers'];

const HOUR_MS = 3_600_000;

const UNIT_MS: Readonly<Record<string, number>> = { h: HOUR_MS, m: 60_000, s: 1_000, ms: 1 };

/**
 * Reads what the headers of an error say. Of `retry-after-ms` and `retry-after` (seconds or an HTTP date) the larger counts;
 * where neither says anything, a 429 is read for when a used-up limit refills. Instants are reckoned from the `date` of the
 * answer, otherwise from our own clock. Waits are clamped to 0 to 3,600,000 ms; malformed and negative values are ignored
 * (engine rule R4).
 */
export function errorHeaders({
  status,
  headers,
  wallMs,
}: Pick<ErrorResponse, 'status' | 'headers' | 'wallMs'>): HeaderFindings {
  const nowMs = parseHttpDate(headers['date']) ?? wallMs;
  const until = parseHttpDate(headers['retry-after']);
  const hint = largest([
    parseNumber(headers['retry-after-ms'], 1),
    parseNumber(headers['retry-after'], 1_000) ?? (until === undefined ? undefined : Math.max(0, until - nowMs)),
  ]);
  const wait = hint ?? (status === 429 ? refillMs(headers, nowMs) : undefined);
  return {
    ...(wait === undefined ? {} : { retryAfterMs: Math.min(wait, HOUR_MS) }),
    ...(headers['x-should-retry']?.trim().toLowerCase() === 'false' ? { repeatIsUseless: true } : {}),
  };
}

function largest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

function parseNumber(text: string | undefined, unitMs: number): number | undefined {
  return text !== undefined && /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) * unitMs : undefined;
}

/** Returns how long the slowest of the used-up limits takes to refill; a refill that is over says nothing of such a limit. */
function refillMs(headers: Headers, nowMs: number): number | undefined {
  const waits = [...openAiRefills(headers), ...anthropicRefills(headers, nowMs)];
  return largest(waits.filter((wait) => wait !== undefined && wait > 0));
}

function openAiRefills(headers: Headers): readonly (number | undefined)[] {
  return ['requests', 'tokens']
    .filter((dimension) => headers[`x-ratelimit-remaining-${dimension}`] === '0')
    .map((dimension) => parseReset(headers[`x-ratelimit-reset-${dimension}`]));
}

/** OpenAI writes `6m0s` or `12ms`; Azure a bare number of seconds. */
function parseReset(text: string | undefined): number | undefined {
  const seconds = parseNumber(text, 1_000);
  if (seconds !== undefined || text === undefined || !/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)) return seconds;
  let sum = 0;
  for (const [, amount = '', unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)) {
    sum += Number(amount) * (UNIT_MS[unit] ?? 0);
  }
  return sum;
}

/** Anthropic names the instant, such as `2026-11-22T12:00:30Z`. */
function anthropicRefills(headers: Headers, nowMs: number): readonly (number | undefined)[] {
  return ['requests', 'tokens', 'input-tokens', 'output-tokens']
    .filter((dimension) => headers[`anthropic-ratelimit-${dimension}-remaining`] === '0')
    .map((dimension) => {
      const untilMs = parseRfc3339(headers[`anthropic-ratelimit-${dimension}-reset`]);
      return untilMs === undefined ? undefined : untilMs - nowMs;
    });
}
