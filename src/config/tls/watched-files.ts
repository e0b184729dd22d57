import { readFileSync } from 'node:fs';

import { stateOfFiles } from '../../files/file-looks.ts';
import { ConfigError } from '../port/problem.ts';
import type { TlsConfig } from '../port/tls-config.ts';
import { readTlsFiles, type TlsFiles } from './certificate-files.ts';

/** The files of a section of TLS, to be looked at again and again. */
export interface TlsFileSet {
  readonly section: string;
  /** Reads and checks all of them; a text names everything that is wrong. */
  read(): TlsFiles | string;
  /** Returns a text that changes with any of them, also behind symbolic links. Rejects where one is not there. */
  stamp(): Promise<string>;
}

/**
 * Opens the files that a section of TLS names.
 *
 * @param wall milliseconds since the epoch
 * @returns them, and what they hold now
 * @throws ConfigError where they cannot be used
 */
export function openTlsFiles(config: TlsConfig, wall: () => number): readonly [files: TlsFileSet, first: TlsFiles] {
  const { field, certPath, keyPath, clientCaPath } = config;
  const paths = [certPath, keyPath, ...(clientCaPath === undefined ? [] : [clientCaPath])];
  const readAll = () => readTlsFiles(config, (path) => readFileSync(path, 'utf8'), wall());
  const first = readAll();
  if ('problems' in first) throw new ConfigError(first.problems);
  const files: TlsFileSet = {
    section: field,
    read: () => {
      const found = readAll();
      return 'problems' in found ? found.problems.map(({ path, message }) => `${path}: ${message}`).join('; ') : found;
    },
    stamp: () => stateOfFiles(paths),
  };
  return [files, first];
}
