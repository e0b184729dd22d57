import { LOG_FORMATS, type LogFormat } from '../telemetry/logging/line-format.ts';
import type { CommandLine } from './command-line.ts';

/**
 * Reads a command line that does nothing but serve, with flags that are written out: a process that starts in a hurry need not load
 * the library for all others.
 *
 * @returns what `parseCommandLine` returns; undefined for any other command line, and for one that is wrong
 */
export function readPlainServe(argv: readonly string[]): CommandLine | undefined {
  const isImplied = argv[0] !== 'serve';
  const words = argv.slice(isImplied ? 0 : 1);
  let demo: true | undefined;
  let config: string | undefined;
  let logFormat: LogFormat = 'auto';
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    if (word === '--demo') {
      demo = true;
      continue;
    }
    at += 1;
    const value = words[at];
    const format = LOG_FORMATS.find((name) => name === value);
    if (word === '--log-format' && format !== undefined) logFormat = format;
    else if (word === '--config' && value && !value.startsWith('-') && config === undefined) config = value;
    else return undefined;
  }
  const flags = { logFormat, ...(demo && { demo }), ...(config !== undefined && { config }) };
  return { name: 'serve', flags, isImplied };
}
