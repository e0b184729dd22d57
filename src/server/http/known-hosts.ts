import { isIP } from 'node:net';

import { addressToBind } from './listener.ts';

const AUTHORITY = /^(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]+))(?::\d{0,5})?$/;

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

  /** Whether a request for this host, as {@link hostName} returns it, may be answered: on loopback a known one, elsewhere any. */
  accepts(name: string): boolean {
    return !this.#isLoopback || this.#isKnown(name);
  }

  /** Whether an Origin is that of the listener itself: the Host of the request, and one that no stranger can have. */
  isOwn(origin: string, authority: string): boolean {
    const name = hostName(authority);
    if (name === undefined || URL.parse(origin)?.host !== authority.toLowerCase()) return false;
    return this.#isKnown(name) || (!this.#isLoopback && isIP(name) !== 0);
  }

  #isKnown(name: string): boolean {
    return isLoopback(name) || this.#names.has(name);
  }
}

/** Returns the host of `host` or `host:port` in small letters, IPv6 without brackets; undefined where the text is neither. */
export function hostName(authority: string): string | undefined {
  const [, inBrackets, name = inBrackets] = AUTHORITY.exec(authority) ?? [];
  return name?.toLowerCase();
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}
