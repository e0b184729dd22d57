/**
 * Makes the base URL of a gateway's address: `host:port`, `http://host:port` or `https://host:port`. Without a scheme it is
 * plaintext, or TLS where the caller has TLS options. Throws a TypeError for anything else; its message does not repeat the
 * address, which may hold a secret.
 */
export function baseUrlOf(address: string, hasTlsOptions: boolean): string {
  const hasScheme = address.includes('://');
  if (!hasScheme && !/:\d+$/.test(address)) throw invalidAddress();
  const url = parseUrl(hasScheme ? address : `${hasTlsOptions ? 'https' : 'http'}://${address}`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw invalidAddress();
  if (`${url.username}${url.password}${url.search}${url.hash}` !== '' || url.pathname !== '/') throw invalidAddress();
  if (url.protocol === 'http:' && hasTlsOptions) {
    throw new TypeError('TLS options are given, but the address says http://');
  }
  return url.origin;
}

function parseUrl(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw invalidAddress();
  }
}

function invalidAddress(): TypeError {
  return new TypeError('the address must be "host:port", "http://host:port" or "https://host:port"');
}
