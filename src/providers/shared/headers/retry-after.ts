import type { Failure } from '../../../core/failure.ts';
import type { ErrorResponse } from '../../port/adapter.ts';
import { parseNumber, parseReset } from './durations.ts';
import { parseHttpDate, parseRfc3339 } from './instants.ts';

/** The part of a {@link Failure} that adapters read from the headers of an answer. */
export type HeaderFindings = Pick<Failure, 'retryAfterMs' | 'repeatIsUseless'>;

type Headers = ErrorResponse['headers'];

const HOUR_MS = 3_600_000;

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

/** Anthropic names the instant, such as `2026-11-22T12:00:30Z`. */
function anthropicRefills(headers: Headers, nowMs: number): readonly (number | undefined)[] {
  return ['requests', 'tokens', 'input-tokens', 'output-tokens']
    .filter((dimension) => headers[`anthropic-ratelimit-${dimension}-remaining`] === '0')
    .map((dimension) => {
      const untilMs = parseRfc3339(headers[`anthropic-ratelimit-${dimension}-reset`]);
      return untilMs === undefined ? undefined : untilMs - nowMs;
    });
}
