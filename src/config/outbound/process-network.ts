import { X509Certificate } from 'node:crypto';
import http from 'node:http';
import tls from 'node:tls';

import { ConfigError, valueAt } from '../port/problem.ts';
import { readVariable } from '../port/provider-defaults.ts';
import type { Environment } from '../port/resolved.ts';
import { proxyVariables } from './environment-proxy.ts';

const CERTIFICATE = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END (?:TRUSTED )?CERTIFICATE-----/g;

/**
 * Has all that this process asks over TLS trust the authorities of `SSL_CERT_FILE`, in place of those that Node brings, as OpenSSL's programs do;
 * those of `NODE_EXTRA_CA_CERTS`, which Node reads itself, stay. Throws {@link ConfigError} where the file cannot be used.
 */
export function adoptAuthorities(env: Environment, readFile: (path: string) => string): void {
  const path = readVariable(env, 'SSL_CERT_FILE');
  if (path === undefined) return;
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    const code = valueAt(error, ['code']);
    throw wrong(`cannot be read${typeof code === 'string' ? ` (${code})` : ''}`);
  }
  const certificates = text.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) throw wrong('has no certificate in PEM');
  if (!certificates.every(isReadable)) throw wrong('has a certificate that cannot be read');
  tls.setDefaultCACertificates([...certificates, ...tls.getCACertificates('extra')]);
}

/** Has Node's own `fetch`, with which the keys of callers' issuers are fetched, use the proxies of the environment. */
export function adoptProxies(env: Environment): void {
  const variables = proxyVariables(env);
  // Where it has nothing to do, it would only take time.
  if (Object.keys(variables).length === 0) return;
  try {
    http.setGlobalProxyFromEnv(variables);
  } catch {
    // What is no proxy is refused where a target would be called through it.
  }
}

function isReadable(certificate: string): boolean {
  try {
    return new X509Certificate(certificate).subject !== undefined;
  } catch {
    return false;
  }
}

function wrong(message: string): ConfigError {
  return new ConfigError([{ path: 'SSL_CERT_FILE', message }]);
}
