import { BlockList, isIP } from 'node:net';

import type { Address } from '../../core/address.ts';

/** What an address must look like, for errors. */
export const ADDRESS_RULE = 'must be host:port, such as 127.0.0.1:50051, localhost:50051 or [::1]:50051';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/**
 * Tells whether only this machine can reach an address. A name other than `localhost` counts as reachable by others; IPv6 may stand in the
 * brackets of a URL.
 */
export function isLoopback(address: Pick<Address, 'host'>): boolean {
  const host = address.host.replace(/^\[|\]$/g, '');
  if (host.toLowerCase() === 'localhost') return true;
  const family = isIP(host);
  return family !== 0 && LOOPBACK.check(host, family === 6 ? 'ipv6' : 'ipv4');
}
