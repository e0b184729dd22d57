import { createContextKey } from '@connectrpc/connect';

/**
 * Whom a call is counted for where callers share what there is (engine rule A5): a text that says nothing but "the same" or "not
 * the same". Every door gives one. Today it is the connection, or the address, that the call came from; a door that knows its
 * callers by name puts the name there. Undefined where there is no door.
 */
export const SHARE_KEY = createContextKey<string | undefined>(undefined, { description: 'share key' });

/** The socket of a call, as far as its share goes. */
export interface PeerSocket {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** The key of calls whose connection is gone already, so that they will not be answered. */
export const NO_PEER = 'unknown';

/** The key of a connection: the peer's address and port, as grpc-js has it. */
export function connectionKey({ remoteAddress, remotePort }: PeerSocket): string {
  return remoteAddress === undefined ? NO_PEER : `${remoteAddress}:${remotePort}`;
}

/**
 * The key of a caller over HTTP: the connection where it carries many calls at a time, as HTTP/2 does. One of HTTP/1.1 carries
 * one, so that a caller has as many as it wants; there it is the address.
 */
export function httpCallerKey(httpVersionMajor: number, socket: PeerSocket): string {
  return httpVersionMajor >= 2 ? connectionKey(socket) : (socket.remoteAddress ?? NO_PEER);
}
