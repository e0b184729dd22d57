import { createContextKey } from '@connectrpc/connect';
import { formatAddress } from '../../../core/address.ts';
import type { WebRequest } from '../exchange.ts';

/** Who sent a call over HTTP: `host:port` of the connection's other end; empty where that is not known. */
export const PEER_ADDRESS = createContextKey('', { description: 'peer address' });

/** Returns who sent a request, as {@link PEER_ADDRESS} has it. */
export function peerOf({ socket }: WebRequest): string {
  const { remoteAddress: host, remotePort: port } = socket;
  return host === undefined || port === undefined ? '' : formatAddress({ host, port });
}
