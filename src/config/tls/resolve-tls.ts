import { resolve } from 'node:path';

import type { FileTls } from '../file/tls-schema.ts';
import type { ConfigProblem } from '../port/problem.ts';
import type { TlsConfig } from '../port/tls-config.ts';
import { readTlsFiles, type ReadText } from './certificate-files.ts';

/** What files are read with; absent for a program that embeds the gateway, which has no listeners. */
export interface TlsReader {
  /** The folder that relative paths are relative to. */
  readonly folder: string;
  readonly read: ReadText;
  /** Milliseconds since the epoch; absent: nothing is said of dates. */
  readonly wallMs?: number | undefined;
}

/** What `server` says of TLS, by listener. */
export interface ResolvedTls {
  readonly tls?: TlsConfig | undefined;
  readonly adminTls?: TlsConfig | undefined;
}

/** Decides which listeners have TLS, and checks the files. Adds a problem for what cannot be used, a warning for what has expired. */
export function resolveTls(
  {
    tls,
    admin_tls: adminTls,
  }: { readonly tls?: FileTls | undefined; readonly admin_tls?: FileTls | 'off' | undefined },
  reader: TlsReader | undefined,
  { problems, warnings }: { readonly problems: ConfigProblem[]; readonly warnings: string[] },
): ResolvedTls {
  const section = (field: string, file: FileTls): TlsConfig => {
    if (file.client_auth !== undefined && file.client_ca === undefined) {
      problems.push({ path: `${field}.client_auth`, message: `needs ${field}.client_ca` });
    }
    const config = configOf(field, file, reader?.folder);
    if (reader === undefined) return config;
    const found = readTlsFiles(config, reader.read, reader.wallMs ?? 0);
    if ('problems' in found) problems.push(...found.problems);
    else if (reader.wallMs !== undefined) warnings.push(...found.warnings);
    return config;
  };
  const doors = tls && section('server.tls', tls);
  if (adminTls === undefined) return { tls: doors, adminTls: doors };
  return { tls: doors, adminTls: adminTls === 'off' ? undefined : section('server.admin_tls', adminTls) };
}

function configOf(field: string, file: FileTls, folder: string | undefined): TlsConfig {
  const place = (path: string): string => (folder === undefined ? path : resolve(folder, path));
  return {
    field,
    certPath: place(file.cert),
    keyPath: place(file.key),
    ...(file.client_ca !== undefined && { clientCaPath: place(file.client_ca) }),
    clientAuth: file.client_auth ?? 'required',
    minVersion: String(file.min_version) === '1.3' ? 'TLSv1.3' : 'TLSv1.2',
  };
}
