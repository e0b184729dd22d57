import {
  appendFileSync,
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

import { frameRows } from './framed-rows.ts';

/** An earlier version, which reads `.rows` alone, can do nothing with rows that leave out what they share, and leaves them to a later one. */
const SEGMENT = /^(\d{12})\.(?:rows|lines)$/;
/** Lines that could not be read, and rows that the store has refused, for a person to look at. */
const LEFT = 'left.rows';

/** A file of the journal: some rows that go to the store together. */
export interface JournalSegment {
  readonly path: string;
  bytes: number;
}

/**
 * Rows that are not yet in the store, in files of a folder, a few at a time. What was appended outlives this process, though not a loss
 * of power. One process at a time may have a folder open.
 */
export class Journal {
  readonly #folder: string;
  #number = 0;
  #tail: { readonly segment: JournalSegment; readonly file: number } | undefined;
  /** Of all files, in bytes. */
  bytes = 0;

  /** Makes the folder where there is none. Throws what the file system throws. */
  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** Returns what an earlier process has left, the oldest first. */
  left(): readonly JournalSegment[] {
    const names = readdirSync(this.#folder).filter((name) => SEGMENT.test(name));
    const segments = names.sort().map((name): JournalSegment => {
      const path = join(this.#folder, name);
      return { path, bytes: statSync(path).size };
    });
    this.#number = Number(SEGMENT.exec(names.at(-1) ?? '')?.[1] ?? 0);
    for (const { bytes } of segments) this.bytes += bytes;
    return segments;
  }

  /**
   * Appends rows; they are safe from the end of this process when it returns.
   *
   * @returns the file that they are in; undefined: they are not in the journal
   */
  append(rows: readonly string[]): JournalSegment | undefined {
    const lines = frameRows(rows);
    const isFresh = this.#tail === undefined;
    // A file may be as large as files may be, while there is room for another.
    return this.#appendTo(lines) ?? (isFresh ? undefined : this.#appendTo(lines));
  }

  #appendTo(lines: Buffer): JournalSegment | undefined {
    try {
      this.#tail ??= this.#begin();
    } catch {
      return undefined;
    }
    const { segment, file } = this.#tail;
    try {
      for (let written = 0; written < lines.length;) written += writeSync(file, lines, written);
    } catch {
      this.#cutTo(segment.bytes);
      return undefined;
    }
    segment.bytes += lines.length;
    this.bytes += lines.length;
    return segment;
  }

  /** Ends the file that is appended to: the next rows go to another. */
  seal(): void {
    const tail = this.#tail;
    this.#tail = undefined;
    if (tail !== undefined) closeSync(tail.file);
  }

  /** Keeps lines that go nowhere else. */
  putAside(lines: readonly string[]): void {
    try {
      appendFileSync(join(this.#folder, LEFT), `${lines.join('\n')}\n`, { mode: 0o600 });
    } catch {
      // There is no room for them.
    }
  }

  /** Removes a file whose rows are in the store. */
  remove(segment: JournalSegment): void {
    this.bytes -= segment.bytes;
    try {
      unlinkSync(segment.path);
    } catch {
      // It is read once more at the next start, and changes nothing then.
    }
  }

  #begin(): { readonly segment: JournalSegment; readonly file: number } {
    this.#number += 1;
    const path = join(this.#folder, `${String(this.#number).padStart(12, '0')}.lines`);
    return { segment: { path, bytes: 0 }, file: openSync(path, 'a', 0o600) };
  }

  /** Leaves nothing of lines that have found no room, so that the next ones begin on a line of their own. */
  #cutTo(bytes: number): void {
    const tail = this.#tail;
    if (tail === undefined) return;
    try {
      ftruncateSync(tail.file, bytes);
    } catch {
      // Their checksum tells.
    }
    this.seal();
  }
}
