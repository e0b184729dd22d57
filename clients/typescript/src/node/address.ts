/** A gateway, or all that a name stands for. */
export interface GatewayAddress {
  /** `http://host:port` or `https://host:port`. */
  readonly baseUrl: string;
  /** Whether the host is looked up for all of its addresses, each of which is a gateway. */
  readonly isResolved: boolean;
}

const DNS = /^dns:\/\/\//;

/**
 * Reads addresses of gateways: `host:port`, `http://host:port`, `https://host:port` or `dns:///host:port`, one or several, in a
 * list or with commas between. Without a scheme of HTTP they are plaintext, or TLS where the caller wants TLS. Throws a
 * TypeError for anything else; its message does not repeat the address, which may hold a secret.
 */
export function gatewayAddresses(addresses: string | readonly string[], wantsTls: boolean): GatewayAddress[] {
  const list = (typeof addresses === 'string' ? addresses.split(',') : addresses).map((address) => address.trim());
  if (list.length === 0) throw new TypeError('there is no address');
  return [...new Set(list)].map((address) => ({
    baseUrl: baseUrlOf(address.replace(DNS, ''), wantsTls),
    isResolved: DNS.test(address),
  }));
}

/** Makes the base URL of one gateway. */
function baseUrlOf(address: string, wantsTls: boolean): string {
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
  return new TypeError(
    'the address must be "host:port", "http://host:port", "https://host:port" or "dns:///host:port"',
  );
}
