import { X509Certificate } from 'node:crypto';
import http from 'node:http';
import tls from 'node:tls';

import { ConfigError, valueAt } from '../port/problem.ts';
import { readVariable } from '../port/provider-defaults.ts';
import type { Environment } from '../port/resolved.ts';
import { environmentProxy, proxyOfScheme } from './environment-proxy.ts';

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

/**
 * Has Node's own `fetch`, with which the keys of callers' issuers are fetched, use the proxies of the environment by the rules that hold
 * for targets: Node knows neither `ALL_PROXY` nor networks, and takes quotes for a part of the address.
 *
 * @param urls all that is fetched
 * @returns has it be as it was
 */
export function adoptProxies(env: Environment, urls: readonly string[]): () => void {
  const proxies = { http_proxy: proxyOfScheme(env, 'http'), https_proxy: proxyOfScheme(env, 'https') };
  // Where it has nothing to do, it would only take time.
  if (proxies.http_proxy === undefined && proxies.https_proxy === undefined) return () => undefined;
  const exempt = urls.filter((url) => {
    const choice = environmentProxy(env, url);
    return 'proxy' in choice && choice.proxy === undefined;
  });
  return http.setGlobalProxyFromEnv({
    ...proxies,
    no_proxy: exempt.map((url) => URL.parse(url)?.host ?? '').join(','),
  });
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
