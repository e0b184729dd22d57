/**
 * Makes the base URLs of gateways of their addresses: `host:port`, `http://host:port` or `https://host:port`, one or several,
 * in a list or with commas between. Without a scheme they are plaintext, or TLS where the caller wants TLS. Throws a TypeError
 * for anything else; its message does not repeat the address, which may hold a secret.
 */
export function baseUrlsOf(addresses: string | readonly string[], wantsTls: boolean): string[] {
  const list = (typeof addresses === 'string' ? addresses.split(',') : addresses).map((address) => address.trim());
  if (list.length === 0) throw new TypeError('there is no address');
  return [...new Set(list.map((address) => baseUrlOf(address, wantsTls)))];
}

/** Makes the base URL of one gateway. */
export function baseUrlOf(address: string, wantsTls: boolean): string {
  const hasScheme = address.includes('://');
  if (!hasScheme && !/:\d+$/.test(address)) throw invalidAddress();
  const url = parseUrl(hasScheme ? address : `${wantsTls ? 'https' : 'http'}://${address}`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw invalidAddress();
  if (`${url.username}${url.password}${url.search}${url.hash}` !== '' || url.pathname !== '/') throw invalidAddress();
  if (url.protocol === 'http:' && wantsTls) {
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
