import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

import { valueAt, type ConfigProblem } from '../port/problem.ts';
import type { ClientAuth, TlsConfig } from '../port/tls-config.ts';

/** What the files of a section of TLS hold. */
export interface TlsFiles {
  readonly certPem: string;
  readonly keyPem: string;
  readonly clientCaPem?: string | undefined;
  readonly clientAuth: ClientAuth;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** Whom the certificate is for, as people know it. */
  readonly names: string;
  /** When the first certificate of the chain expires, in milliseconds since the epoch. */
  readonly expiresAtMs: number;
  /** The same as a date (ISO 8601). */
  readonly expires: string;
  /** What an operator should know of them, one sentence each. */
  readonly warnings: readonly string[];
}

/** What is known of files that cannot be used. */
export interface TlsFault {
  readonly problems: readonly ConfigProblem[];
}

/** Reads a file as text; throws where it cannot. */
export type ReadText = (path: string) => string;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

const NO_CERTIFICATE = 'holds no certificate in PEM (-----BEGIN CERTIFICATE-----)';

/**
 * Reads and checks certificate, key and authorities. Nothing of a key is in a problem.
 *
 * @param wallMs milliseconds since the epoch, to tell what has expired
 */
export function readTlsFiles(config: TlsConfig, read: ReadText, wallMs: number): TlsFiles | TlsFault {
  const { field, certPath, keyPath, clientCaPath, clientAuth, minVersion } = config;
  const problems: ConfigProblem[] = [];
  const wrong = (name: string, message: string): void => void problems.push({ path: `${field}.${name}`, message });
  const textOf = (name: string, path: string): string | undefined => {
    try {
      return read(path);
    } catch (error) {
      // Who has put the text of a key where its path belongs shall not find it in a log.
      if (path.includes('-----BEGIN')) wrong(name, 'is the text of PEM; it must be the path of a file that holds it');
      else wrong(name, `cannot read ${JSON.stringify(path)}${codeOf(error)}`);
      return undefined;
    }
  };
  const chainOf = (name: string, pem: string | undefined): readonly X509Certificate[] => {
    if (pem === undefined) return [];
    try {
      const found = (pem.match(CERTIFICATE) ?? []).map((each) => new X509Certificate(each));
      if (found.length === 0) wrong(name, NO_CERTIFICATE);
      return found;
    } catch {
      wrong(name, 'holds a certificate that cannot be read');
      return [];
    }
  };
  const certPem = textOf('cert', certPath);
  const keyPem = textOf('key', keyPath);
  const clientCaPem = clientCaPath === undefined ? undefined : textOf('client_ca', clientCaPath);
  const chain = chainOf('cert', certPem);
  const authorities = chainOf('client_ca', clientCaPem);
  const keyProblem = keyPem === undefined ? undefined : problemOfKey(keyPem, chain[0], field);
  if (keyProblem !== undefined) wrong('key', keyProblem);
  const [leaf] = chain;
  if (problems.length > 0 || leaf === undefined || certPem === undefined || keyPem === undefined) return { problems };
  try {
    createSecureContext({ cert: certPem, key: keyPem, ...(clientCaPem !== undefined && { ca: clientCaPem }) });
  } catch (error) {
    wrong('cert', `OpenSSL does not take it${codeOf(error)}`);
    return { problems };
  }
  const expiresAtMs = Math.min(...chain.map(({ validToDate }) => validToDate.getTime()));
  const first = chain.find(({ validToDate }) => validToDate.getTime() === expiresAtMs) ?? leaf;
  return {
    certPem,
    keyPem,
    clientCaPem,
    clientAuth,
    minVersion,
    names: (leaf.subjectAltName ?? leaf.subject).replaceAll(/\s*\n\s*/g, ', '),
    expiresAtMs,
    expires: first.validToDate.toISOString(),
    warnings: [...chainWarnings(chain, field, wallMs), ...authorityWarnings(authorities, field, wallMs)],
  };
}

function problemOfKey(pem: string, leaf: X509Certificate | undefined, field: string): string | undefined {
  if (/^(-----BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED)/m.test(pem)) return 'has a passphrase; it must have none';
  try {
    const key = createPrivateKey(pem);
    if (leaf === undefined || leaf.checkPrivateKey(key)) return undefined;
    return `is not the key of the first certificate in ${field}.cert`;
  } catch {
    return 'holds no private key in PEM (PRIVATE KEY between dashes)';
  }
}

function chainWarnings(chain: readonly X509Certificate[], field: string, wallMs: number): string[] {
  return chain.flatMap(({ validFromDate, validToDate }, index) => {
    const which = index === 0 ? 'the certificate' : `certificate ${index + 1} of the chain`;
    if (validToDate.getTime() <= wallMs) return [`${field}.cert: ${which} expired on ${validToDate.toISOString()}`];
    if (validFromDate.getTime() <= wallMs) return [];
    return [`${field}.cert: ${which} is not valid before ${validFromDate.toISOString()}`];
  });
}

function authorityWarnings(authorities: readonly X509Certificate[], field: string, wallMs: number): string[] {
  const isPast = authorities.every(({ validToDate }) => validToDate.getTime() <= wallMs);
  return authorities.length > 0 && isPast
    ? [`${field}.client_ca: every certificate in it has expired, so that no client is taken with one`]
    : [];
}

function codeOf(error: unknown): string {
  const code = valueAt(error, ['code']);
  return typeof code === 'string' ? ` (${code})` : '';
}
