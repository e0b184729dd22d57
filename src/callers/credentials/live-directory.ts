import { isDeepStrictEqual } from 'node:util';

import type { CallersConfig, NamedKeyConfig } from '../../config/port/caller-config.ts';
import { type DirectoryParts, openCallerDirectory, type OpenDirectory } from './caller-directory.ts';

/** What directories are opened with, whatever is configured. */
export interface LiveDirectoryParts extends Omit<DirectoryParts, 'config' | 'readKeys'> {
  /** As `readKeys` of a directory, given whose keys they may be. */
  readonly readKeys: (text: string, callers: CallersConfig) => readonly NamedKeyConfig[];
}

/** The directory of the callers of the configuration that holds. */
export class LiveDirectory {
  readonly #parts: LiveDirectoryParts;
  #config: CallersConfig | undefined;
  #open: OpenDirectory | undefined;

  constructor(config: CallersConfig | undefined, parts: LiveDirectoryParts) {
    this.#config = config;
    this.#parts = parts;
  }

  /** Returns the directory, which is opened when it is first asked for; undefined where callers are not named. */
  now(): OpenDirectory | undefined {
    if (this.#config !== undefined) this.#open ??= this.#openFor(this.#config);
    return this.#open;
  }

  /** Knows the callers of another configuration from now on, and no others. */
  configure(config: CallersConfig | undefined): void {
    if (isDeepStrictEqual(config, this.#config)) return;
    const before = this.#open;
    this.#config = config;
    this.#open = before === undefined || config === undefined ? undefined : this.#openFor(config, before);
    before?.close();
  }

  /** Follows no files any more. */
  close(): void {
    this.#open?.close();
  }

  #openFor(config: CallersConfig, before?: OpenDirectory): OpenDirectory {
    const { readKeys, ...parts } = this.#parts;
    return openCallerDirectory({ ...parts, config, readKeys: (text) => readKeys(text, config) }, before);
  }
}
