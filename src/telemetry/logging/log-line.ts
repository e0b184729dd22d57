import type { LogLevel } from './log-fields.ts';

/**
 * Makes one line of the log, with its break: JSON with level, time, the fields in their order, and the message last. A field
 * without a value is left out.
 *
 * @param wallMs milliseconds since the epoch
 */
export function logLine(
  level: LogLevel,
  wallMs: number,
  fields: Readonly<Record<string, unknown>>,
  message: string,
): string {
  const written = JSON.stringify(fields);
  const own = written === '{}' ? '' : `${written.slice(1, -1)},`;
  return `{"level":"${level}","time":${wallMs},${own}"msg":${JSON.stringify(message)}}\n`;
}
