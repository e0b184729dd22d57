import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ChaosIdentity } from './chaos-upstream.ts';

/** What a certificate is to hold besides its common name. */
export interface IssueOptions {
  /** How long it is valid; a negative number has expired. Default: 2. */
  readonly days?: number;
  /** Alternative names in openssl's form, such as `URI:spiffe://example.org/billing`. Default: the common name. */
  readonly names?: readonly string[];
}

/** A certificate authority of a test. */
export interface Authority {
  /** Its own certificate, PEM. */
  readonly cert: string;
  /** Signs a certificate for a name. */
  issue(name: string, options?: IssueOptions): ChaosIdentity;
  /** Removes its files. */
  remove(): void;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** Whether there is an openssl tool to make certificates with. */
export function hasOpenssl(): boolean {
  try {
    openssl('version');
    return true;
  } catch {
    return false;
  }
}

/** Makes a certificate authority with the openssl tool. */
export function createAuthority(): Authority {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-tls-'));
  const path = (name: string): string => join(directory, name);
  const read = (name: string): string => readFileSync(path(name), 'utf8');
  const own = ['-subj', '/CN=authority', '-keyout', path('ca.key'), '-out', path('ca.crt')];
  openssl('req', '-x509', ...KEY, '-days', '2', ...own);
  return {
    cert: read('ca.crt'),
    issue: (name, { days = 2, names = [`DNS:${name}`] } = {}) => {
      const request = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${names.join(',')}`];
      openssl('req', ...KEY, ...request, '-keyout', path('own.key'), '-out', path('own.csr'));
      const signer = ['-CA', path('ca.crt'), '-CAkey', path('ca.key'), '-CAcreateserial', '-copy_extensions', 'copy'];
      openssl('x509', '-req', '-in', path('own.csr'), ...signer, '-days', String(days), '-out', path('own.crt'));
      return { key: read('own.key'), cert: read('own.crt') };
    },
    remove: () => rmSync(directory, { recursive: true }),
  };
}

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: 'ignore' });
}
