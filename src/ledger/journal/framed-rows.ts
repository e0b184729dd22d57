import { crc32 } from 'node:zlib';

/** Digits of a checksum. */
const DIGITS = 8;

/** Writes rows as lines, each with its checksum before it, so that one that is torn or damaged is seen. */
export function frameRows(rows: readonly string[]): string {
  let lines = '';
  for (const row of rows) lines += `${checksum(row)} ${row}\n`;
  return lines;
}

/** Reads what {@link frameRows} has written; `damaged` lines are those that are not as they were written. */
export function readRows(text: string): { readonly rows: readonly string[]; readonly damaged: readonly string[] } {
  const lines = text.split('\n').filter((line) => line !== '');
  const isWhole = (line: string): boolean => line[DIGITS] === ' ' && line.startsWith(checksum(line.slice(DIGITS + 1)));
  return {
    rows: lines.filter(isWhole).map((line) => line.slice(DIGITS + 1)),
    damaged: lines.filter((line) => !isWhole(line)),
  };
}

function checksum(row: string): string {
  return crc32(row).toString(16).padStart(DIGITS, '0');
}
