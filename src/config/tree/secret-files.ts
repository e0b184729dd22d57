import { resolve } from 'node:path';

import { valueAt } from '../port/problem.ts';

/** The content of a file, or what is wrong with it. */
export type SecretRead = { readonly value: string } | { readonly wrong: string };

/** Reads the files that a config takes secrets from, each once, so that two fields have the same secret while it is replaced. */
export class SecretFiles {
  readonly #readFile: ((path: string) => string) | undefined;
  readonly #folder: string;
  readonly #known = new Map<string, SecretRead>();

  /**
   * @param readFile returns a file as text; throws where it cannot. Absent: no file may be read
   * @param folder what relative paths are relative to. Absent: the working directory
   */
  constructor(readFile: ((path: string) => string) | undefined, folder = '.') {
    this.#readFile = readFile;
    this.#folder = folder;
  }

  /** Paths of the files that were asked for, readable or not, absolute. */
  get paths(): readonly string[] {
    return [...this.#known.keys()];
  }

  /** Returns what a file holds, without a byte order mark and the blanks and line ends around it. */
  read(path: string): SecretRead {
    if (path === '') return { wrong: '`${file:` must be followed by a path and `}`' };
    if (this.#readFile === undefined) return { wrong: '`${file:…}` stands in config files alone' };
    const absolute = resolve(this.#folder, path);
    const read = this.#known.get(absolute) ?? this.#readNow(this.#readFile, absolute, path);
    this.#known.set(absolute, read);
    return read;
  }

  #readNow(readFile: (path: string) => string, absolute: string, path: string): SecretRead {
    // What is no path may be the secret itself.
    const file = /^(?:\.{0,2}\/|[A-Za-z]:)/.test(path) ? `the file ${JSON.stringify(path)}` : 'the file';
    try {
      // `trim` takes the mark away, too.
      const value = readFile(absolute).trim();
      return value === '' ? { wrong: `${file} is empty` } : { value };
    } catch (error) {
      const code = valueAt(error, ['code']);
      return { wrong: `${file} cannot be read${typeof code === 'string' ? ` (${code})` : ''}` };
    }
  }
}
