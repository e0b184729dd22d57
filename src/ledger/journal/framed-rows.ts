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
  return readRows(existsSync(path) ? readFileSync(path, 'utf8') : '');
}

/** Reads what {@link frameRows} has written. */
export function readRows(text: string): ReadRows {
  const rows: string[] = [];
  const damaged: string[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const isWhole = line[DIGITS] === ' ' && line.startsWith(checksum(line.slice(DIGITS + 1)));
    if (isWhole) rows.push(...line.slice(DIGITS + 1).split(BETWEEN));
    else damaged.push(...line.split(BETWEEN));
  }
  return { rows, damaged };
}

function checksum(text: string | Buffer): string {
  return crc32(text).toString(16).padStart(DIGITS, '0');
}
