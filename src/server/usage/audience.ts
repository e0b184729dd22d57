import { parseAddress } from '../../core/address.ts';
import type { UsageAudience } from '../port/usage-parts.ts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/i;

/**
 * Decides whom the doors tell of usage: callers of their own where they are named; otherwise whoever is on this machine of all of it,
 * and nobody where others can reach a door.
 *
 * @param addresses what the doors listen on, `host:port`
 */
export function audienceOf(areCallersNamed: boolean, addresses: readonly string[]): UsageAudience {
  if (areCallersNamed) return 'callers';
  return addresses.every((address) => LOOPBACK.test(parseAddress(address)?.host ?? '')) ? 'operators' : 'nobody';
}
