import type { Http2Session } from 'node:http2';
import type { PacedSource } from '../wire/reading-pace.ts';

/** The handle of a socket: what Node reads the bytes of a session from, below all that JavaScript sees. */
interface SocketHandle {
  readStop(): unknown;
  readStart(): unknown;
}

const SOURCES = new WeakMap<Http2Session, PacedSource>();

/**
 * A connection of HTTP/2 as something that can be told to wait: what its client sends stays with the system, for all of its streams.
 * Node lets streams alone wait, and reads on what their windows let come. Where it keeps its handles elsewhere nothing waits; a test
 * watches that it does not.
 */
export function pacedSession(session: Http2Session): PacedSource {
  const known = SOURCES.get(session);
  if (known !== undefined) return known;
  const handle = handleOf(session);
  const source = { pause: () => handle?.readStop(), resume: () => !session.destroyed && handle?.readStart() };
  SOURCES.set(session, source);
  return source;
}

function handleOf(session: Http2Session): SocketHandle | undefined {
  if (session.destroyed) return undefined;
  const handle: unknown = Reflect.get(session.socket, '_handle');
  return isHandle(handle) ? handle : undefined;
}

function isHandle(value: unknown): value is SocketHandle {
  return typeof value === 'object' && value !== null && 'readStop' in value && 'readStart' in value;
}
