import type { Http2Session } from 'node:http2';
import { connectionKey, NO_PEER } from '../../port/share-key.ts';

const PEERS = new WeakMap<Http2Session, string>();

/** The peer of an HTTP/2 connection as grpc-js writes it for its own calls. Asked of the system once for each connection. */
function peerOfSession(session: Http2Session): string {
  const known = PEERS.get(session);
  if (known !== undefined) return known;
  const peer = connectionKey(session.socket);
  PEERS.set(session, peer);
  return peer;
}

/** Whom a call of gRPC is counted for: its connection. Node throws where that is gone, and then nobody will be answered. */
export function grpcCallerKey(session: Http2Session | undefined): string {
  try {
    return session === undefined ? NO_PEER : peerOfSession(session);
  } catch {
    return NO_PEER;
  }
}
