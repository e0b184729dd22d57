import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';

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
    stamp: async () => (await Promise.all(paths.map(stampOf))).join(' '),
  };
  return [files, first];
}

async function stampOf(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join(':');
}
