import { styleText } from 'node:util';

/** How log lines are written: for people, as JSON, or as suits the output. */
export const LOG_FORMATS = ['auto', 'text', 'json'] as const;

/** One of {@link LOG_FORMATS}. */
export type LogFormat = (typeof LOG_FORMATS)[number];

/** Longest value of a field that people are shown. */
const MAX_SHOWN = 200;

const COLORS = { info: 'green', warn: 'yellow', error: 'red' } as const;

/** Fields that a line for people shows by themselves, or not at all. */
const TOLD: ReadonlySet<string> = new Set([
  'level',
  'time',
  'msg',
  'rpc.method',
  'rpc.status_code',
  'error.type',
  'understudy.target',
  'gen_ai.response.model',
  'gen_ai.request.model',
  'understudy.duration_ms',
  'understudy.first_output_ms',
  'gen_ai.usage.input_tokens',
  'gen_ai.usage.output_tokens',
  'understudy.cost.nano_usd',
  'understudy.cost.source',
  'understudy.request_id',
  'understudy.trail',
  'gen_ai.operation.name',
  'gen_ai.provider.name',
  'gen_ai.request.stream',
  'gen_ai.response.finish_reasons',
  'gen_ai.response.time_to_first_chunk',
]);

/**
 * Returns a function that writes one JSON line of the log for people: time of day, level, what happened, then the other fields as
 * `name=value`. A line that is no JSON object is passed on as it is.
 *
 * @param colors - whether the output is a terminal that shows colours
 */
export function createPeopleFormat(colors: boolean): (line: string) => string {
  // In the time zone of the process. Costs some milliseconds, which a process without people need not spend.
  const timeOfDay = new Intl.DateTimeFormat('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
  });
  return (line) => {
    const fields = parseLine(line);
    if (fields === undefined) return line;
    const level = fields['level'] === 'error' || fields['level'] === 'warn' ? fields['level'] : 'info';
    const paint = (style: 'green' | 'yellow' | 'red' | 'dim', text: string): string =>
      colors ? styleText(style, text, { validateStream: false }) : text;
    const time = typeof fields['time'] === 'number' ? timeOfDay.format(fields['time']) : '--:--:--.---';
    const head = `${paint('dim', time)} ${paint(COLORS[level], level.padEnd(5))}`;
    const isCall = fields['msg'] === 'call ended';
    const rest = Object.entries(fields)
      .filter(
        ([name, value]) => !(isCall && TOLD.has(name)) && !['level', 'time', 'msg'].includes(name) && value !== null,
      )
      .map(([name, value]) => `${name.replace(/^understudy\./, '')}=${shown(value)}`);
    const parts = [isCall ? callText(fields) : shown(fields['msg']), paint('dim', rest.join(' '))];
    return `${[head, ...parts].filter((part) => part !== '' && part !== paint('dim', '')).join(' ')}\n`;
  };
}

/** One call: method, status, who answered or why not, time, tokens, cost, id. */
function callText(fields: Readonly<Record<string, unknown>>): string {
  const text = (name: string): string | undefined => (fields[name] === undefined ? undefined : shown(fields[name]));
  const model = text('gen_ai.response.model') ?? text('gen_ai.request.model');
  const target = text('understudy.target');
  const [input, output] = [text('gen_ai.usage.input_tokens'), text('gen_ai.usage.output_tokens')];
  const nanoUsd = fields['understudy.cost.nano_usd'];
  const first = fields['understudy.first_output_ms'];
  const trail = fields['understudy.trail'];
  const attempts = Array.isArray(trail) ? trail.length : 0;
  return [
    text('rpc.method')?.split('/').at(-1),
    text('rpc.status_code'),
    text('error.type'),
    [target, model].filter((part) => part !== undefined).join('/') || undefined,
    `${wholeMs(fields['understudy.duration_ms'])}${typeof first === 'number' ? ` (first ${wholeMs(first)})` : ''}`,
    input === undefined && output === undefined ? undefined : `${input ?? '?'}+${output ?? '?'} tokens`,
    typeof nanoUsd === 'number' ? `$${(nanoUsd / 1e9).toFixed(6)}` : undefined,
    attempts > 1 ? `${attempts} attempts` : undefined,
    text('understudy.request_id'),
  ]
    .filter((part) => part !== undefined)
    .join('  ');
}

function wholeMs(value: unknown): string {
  return typeof value === 'number' ? `${Math.round(value)} ms` : '';
}

/** A value on one line, without what could move the cursor. */
function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text.slice(0, MAX_SHOWN).replaceAll(/\p{C}/gu, ' ');
}

function parseLine(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null ? Object.fromEntries(Object.entries(parsed)) : undefined;
  } catch {
    return undefined;
  }
}
