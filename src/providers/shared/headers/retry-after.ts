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
 * where neither says anything, the wait that the body names; without one, a 429 is read for when a used-up limit refills.
 * Instants are reckoned from the `date` of the answer, otherwise from our own clock. Waits are clamped to 0 to 3,600,000 ms;
 * malformed and negative values are ignored (engine rule R4).
 *
 * @param toldMs the wait that the body names, in milliseconds
 */
export function errorHeaders(
  { status, headers, wallMs }: Pick<ErrorResponse, 'status' | 'headers' | 'wallMs'>,
  toldMs?: number,
): HeaderFindings {
  const nowMs = parseHttpDate(headers['date']) ?? wallMs;
  const until = parseHttpDate(headers['retry-after']);
  const hint = largest([
    parseNumber(headers['retry-after-ms'], 1),
    parseNumber(headers['retry-after'], 1_000) ?? (until === undefined ? undefined : Math.max(0, until - nowMs)),
  ]);
  const wait = hint ?? toldMs ?? (status === 429 ? refillMs(headers, nowMs) : undefined);
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
  const waits = [...openAiRefills(headers), ...otherRefills(headers, nowMs), ...anthropicRefills(headers, nowMs)];
  return largest(waits.filter((wait) => wait !== undefined && wait > 0));
}

function openAiRefills(headers: Headers): readonly (number | undefined)[] {
  return ['requests', 'tokens']
    .filter((dimension) => headers[`x-ratelimit-remaining-${dimension}`] === '0')
    .map((dimension) => parseReset(headers[`x-ratelimit-reset-${dimension}`]));
}

/** `x-rate-limit-reset-tokens` of older Azure, `x-ratelimit-reset` of many, `ratelimit-reset` of the drafts of the IETF. */
const OTHER_RESET = /^(?:x-)?rate-?limit-reset(-\w+)*$/;

/**
 * Reads the resets of others, where what is left is zero or not said. OpenAI's own names say what is left always. A number is
 * one of seconds from now; one of ten or thirteen digits an instant, in seconds or milliseconds since the epoch.
 */
function otherRefills(headers: Headers, nowMs: number): readonly (number | undefined)[] {
  return Object.keys(headers)
    .filter((name) => OTHER_RESET.test(name) && !/^x-ratelimit-reset-(?:requests|tokens)$/.test(name))
    .filter((name) => (headers[name.replace('reset', 'remaining')] ?? '0').trim() === '0')
    .map((name) => {
      const waitMs = parseReset(headers[name]);
      if (waitMs === undefined || waitMs < 1e12) return waitMs;
      return (waitMs < 1e15 ? waitMs : waitMs / 1_000) - nowMs;
    });
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
