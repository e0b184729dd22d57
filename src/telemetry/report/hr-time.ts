import type { HrTime } from '@opentelemetry/api';

/** Writes milliseconds, of a duration or since the epoch, as OpenTelemetry has time: whole seconds, and nanoseconds below one. */
export function hrTimeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.min(999_999_999, Math.round((ms - seconds * 1_000) * 1e6))];
}
