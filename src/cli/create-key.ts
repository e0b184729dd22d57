import { hash, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeSync } from 'node:fs';

import { parseInstant } from '../config/file/instant.ts';
import { UsageError } from './usage-error.ts';

/** What a key is made of: 256 random bits in base64url behind a prefix that scanners for secrets can look for. */
const KEY_BYTES = 32;
const PREFIX = 'us_';

const NAME = /^[A-Za-z0-9._~-]{1,100}$/;
const UNIT_MS = new Map([
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** How a key is made. */
export interface KeyFlags {
  readonly caller: string;
  /** An instant, or a time from now such as `90d`. */
  readonly expires?: string | undefined;
  /** For people. */
  readonly name?: string | undefined;
  /** A file of keys that the line is added to. */
  readonly file?: string | undefined;
}

/** What a command prints, besides its status. */
export interface MadeKey {
  /** The key alone, so that a pipe can take it. */
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Makes an API key. It is printed once and kept nowhere; the line for the configuration has its SHA-256. Throws UsageError for flags and
 * a file that cannot be used.
 *
 * @param wallMs now, in milliseconds since the epoch
 */
export function createKey({ caller, expires, name, file }: KeyFlags, wallMs: number): MadeKey {
  if (!NAME.test(caller)) throw new UsageError('--caller must be 1 to 100 letters, digits, or characters of ._~-');
  if (name !== undefined && !/^[^\p{C}]{1,100}$/u.test(name))
    throw new UsageError('--name must be 1 to 100 characters');
  const key = PREFIX + randomBytes(KEY_BYTES).toString('base64url');
  const fields = [
    `caller: ${caller}`,
    `sha256: "${hash('sha256', key)}"`,
    ...(expires === undefined ? [] : [`expires: ${expiryOf(expires, wallMs)}`]),
    ...(name === undefined ? [] : [`name: ${JSON.stringify(name)}`]),
  ];
  const line = `- { ${fields.join(', ')} }\n`;
  if (file === undefined) {
    const inConfig = `- { ${fields.slice(1).join(', ')} }`;
    const where = `For api_keys_file:\n${line}Or for api_keys of ${caller}:\n${inConfig}\n`;
    return { stdout: `${key}\n`, stderr: `The key is shown this once.\n\n${where}` };
  }
  append(file, line);
  return { stdout: `${key}\n`, stderr: `The key is shown this once. Its SHA-256 was added to ${file}.\n` };
}

function expiryOf(text: string, wallMs: number): string {
  const [, count = '', unit = ''] = /^([1-9]\d{0,4})([mhd])$/.exec(text) ?? [];
  const unitMs = UNIT_MS.get(unit);
  const atMs = unitMs === undefined ? parseInstant(text) : wallMs + Number(count) * unitMs;
  if (atMs === undefined || atMs <= wallMs) {
    throw new UsageError(
      '--expires must be an instant to come, such as 2030-01-31T12:00:00Z, or a time such as 90d or 12h',
    );
  }
  return Temporal.Instant.fromEpochMilliseconds(atMs).toString({ smallestUnit: 'second' });
}

/** Puts the line behind what is there and swaps the file as a whole, so that nobody reads half of it. */
function append(file: string, line: string): void {
  try {
    const before = textOf(file);
    if (/^\s*\[\s*\]\s*$/.test(before)) return replace(file, line);
    const isList = before.trim() === '' || /^(\s*(#.*)?\n)*- /.test(`${before}\n`);
    if (!isList) throw new UsageError('--file is no list of keys with a key on each line');
    replace(file, before + (before === '' || before.endsWith('\n') ? '' : '\n') + line);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw new UsageError(`--file cannot be written${code}`);
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

function replace(file: string, text: string): void {
  const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0o600;
  const beside = `${file}.new`;
  const handle = openSync(beside, 'wx', mode);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(beside, file);
}
