import type { ConfigEvent } from '../../config/port/config-event.ts';
import type { LogLevel } from './log-fields.ts';

/** Most changes, and most problems, that have a line each. */
const MOST_LINES = 50;

/** A line of the log about the configuration. */
export interface ConfigLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Builds the lines of an event: one for each change, warning and problem. None at start, which has said all of it. */
export function configLines(event: ConfigEvent): readonly ConfigLine[] {
  if (event.kind === 'refused') {
    const message = 'the configuration cannot be used: what held before stays';
    return shown(event.problems).map((problem) => line('error', message, 'understudy.problem', problem));
  }
  if (event.kind === 'started') return [];
  const { changed, needRestart, warnings } = event;
  const message = 'the configuration was read again, and has changed';
  return [
    ...(changed.length === 0 ? [unchanged()] : []),
    ...shown(changed).map((change) => line('info', message, 'understudy.change', change)),
    ...needRestart.map((setting) =>
      line('warn', 'a changed setting holds from the next start on', 'understudy.setting', setting),
    ),
    ...warnings.map((warning) => line('warn', `warning: ${warning}`)),
  ];
}

function shown(texts: readonly string[]): readonly string[] {
  const rest = texts.length - MOST_LINES;
  return rest <= 0 ? texts : [...texts.slice(0, MOST_LINES), `and ${rest} more`];
}

function unchanged(): ConfigLine {
  return line('info', 'the configuration was read again, and is as it was');
}

function line(level: LogLevel, message: string, field?: string, value?: string): ConfigLine {
  return { level, message, fields: field === undefined ? {} : { [field]: value } };
}
