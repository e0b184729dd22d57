import { isIP } from 'node:net';

import { addressToBind } from './listener.ts';

/**
 * The names by which a listener may be called. A page of any site can have its own name resolve to 127.0.0.1 or to another machine
 * of its reader's network (DNS rebinding), and then counts as that name's own: only the name tells it from callers that are meant.
 */
export class KnownHosts {
  readonly #names: ReadonlySet<string>;
  readonly #isLoopback: boolean;

  /**
   * @param address what is listened on, `host:port`
   * @param allowed further names or addresses, without port
   */
  constructor(address: string, allowed: readonly string[] = []) {
    const host = addressToBind(address).host.toLowerCase();
    this.#isLoopback = isLoopback(host);
    this.#names = new Set([...allowed.map((name) => name.toLowerCase()), ...(this.#isLoopback ? [host] : [])]);
  }

  /** Whether a request with this Host may be answered: on loopback only under a known name, elsewhere under any. */
  accepts(authority: string | undefined): boolean {
    return !this.#isLoopback || (authority !== undefined && this.#isKnown(nameOf(authority)));
  }

  /** Whether an Origin is that of the listener itself: the Host of the request, and one that no stranger can have. */
  isOwn(origin: string, authority: string | undefined): boolean {
    if (authority === undefined || URL.parse(origin)?.host !== authority.toLowerCase()) return false;
    const name = nameOf(authority);
    return this.#isKnown(name) || (!this.#isLoopback && isIP(name) !== 0);
  }

  #isKnown(name: string): boolean {
    return isLoopback(name) || this.#names.has(name);
  }
}

/** Returns the host of `host:port` in small letters, IPv6 without brackets. */
function nameOf(authority: string): string {
  const [, inBrackets, name = inBrackets ?? ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(authority) ?? [];
  return name.toLowerCase();
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}
