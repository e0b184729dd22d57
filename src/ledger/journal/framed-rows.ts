import { existsSync, readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';

/** Digits of a checksum. */
const DIGITS = 8;

/** Stands between the rows of a line; JSON has none. */
const BETWEEN = '\x1e';

const NEWLINE = 0x0a;

/** Where lines are put together; a longer one has a buffer of its own. */
const COMMON = Buffer.alloc(64 * 1024);

/**
 * Writes rows as one line with its checksum before it, so that one that is torn or damaged is seen: rows that are written together are
 * there together, or not at all.
 *
 * @returns bytes that hold until the next call
 */
export function frameRows(rows: readonly string[]): Buffer {
  const text = rows.join(BETWEEN);
  // A character takes three bytes at most.
  const most = DIGITS + 1 + 3 * text.length + 1;
  const line = most <= COMMON.length ? COMMON : Buffer.alloc(most);
  const end = DIGITS + 1 + line.write(text, DIGITS + 1);
  line.write(`${checksum(line.subarray(DIGITS + 1, end))} `, 'latin1');
  line[end] = NEWLINE;
  return line.subarray(0, end + 1);
}

/** Rows that were read, and those of lines that are not as they were written. */
export interface ReadRows {
  readonly rows: readonly string[];
  readonly damaged: readonly string[];
}

/** Reads a file of what {@link frameRows} has written; one that is gone has nothing in it. Throws where it cannot be read. */
export function readRowsFile(path: string): ReadRows {
  return readRows(textOfRows(path));
}

/** Returns the text of a file of the journal; one that is gone has none. Throws where it cannot be read. */
export function textOfRows(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** Reads what {@link frameRows} has written. */
export function readRows(text: string): ReadRows {
  const rows: string[] = [];
  const damaged = readLines(text, (together) => rows.push(...together));
  return { rows, damaged };
}

/**
 * As {@link readRows}, a line at a time: whoever needs a row only once leaves nothing behind.
 *
 * @param take the rows of a line, as many as were written together
 * @returns those of lines that are not as they were written
 */
export function readLines(text: string, take: (rows: readonly string[]) => void): readonly string[] {
  const damaged: string[] = [];
  for (let at = 0; at < text.length;) {
    const newline = text.indexOf('\n', at);
    const end = newline === -1 ? text.length : newline;
    const line = text.slice(at, end);
    at = end + 1;
    if (line === '') continue;
    const isWhole = line[DIGITS] === ' ' && line.startsWith(checksum(line.slice(DIGITS + 1)));
    if (isWhole) take(line.slice(DIGITS + 1).split(BETWEEN));
    else damaged.push(...line.split(BETWEEN));
  }
  return damaged;
}

function checksum(text: string | Buffer): string {
  return crc32(text).toString(16).padStart(DIGITS, '0');
}
