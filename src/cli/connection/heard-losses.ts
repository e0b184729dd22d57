import type { ClientHttp2Stream, Http2Session } from 'node:http2';

import { Code, ConnectError } from '@connectrpc/connect';
import type { GrpcTransportOptions, Http2SessionManager } from '@connectrpc/connect-node';

/** The least that a server that speaks HTTP/2 sends: the head of a frame (RFC 9113, section 4.1). */
const FRAME_HEAD_BYTES = 9;

/** How the system says that a connection is lost; whatever else it says is about TLS, and tells more. */
const LOSSES: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT']);

/**
 * Has calls fail with UNAVAILABLE where their connection is lost, of which Node says that they were cancelled, or where in the code of
 * the system it broke; and with `ECONNRESET` where the other end spoke no HTTP/2 before, as one does that wants TLS.
 */
export function hearingLosses(sessions: Http2SessionManager): NonNullable<GrpcTransportOptions['sessionManager']> {
  const open = new WeakMap<Http2Session, Set<ClientHttp2Stream>>();
  return {
    authority: sessions.authority,
    notifyResponseByteRead: (stream) => sessions.notifyResponseByteRead(stream),
    request: async (...call) => {
      const stream = await sessions.request(...call);
      const { session } = stream;
      if (session === undefined) return stream;
      const streams = open.get(session) ?? streamsUntilLoss(session);
      open.set(session, streams);
      streams.add(stream);
      stream.once('close', () => streams.delete(stream));
      return stream;
    },
  };
}

/** Makes the set of a session's open streams, which hear of a loss before Node does. */
function streamsUntilLoss(session: Http2Session): Set<ClientHttp2Stream> {
  const streams = new Set<ClientHttp2Stream>();
  const { socket } = session;
  const tellLoss = (): void => {
    const message = 'the connection was lost before the end of the call';
    const spokeNothing = socket.bytesRead < FRAME_HEAD_BYTES;
    const cause = spokeNothing ? Object.assign(new Error(message), { code: 'ECONNRESET' }) : undefined;
    const error = new ConnectError(message, Code.Unavailable, undefined, undefined, cause);
    // One that has come to its end may still be read.
    for (const stream of streams) if (!stream.closed) stream.destroy(error);
  };
  // One that breaks says why first; what closes in order says nothing.
  socket.prependOnceListener('error', ({ code }: NodeJS.ErrnoException) => {
    if (LOSSES.has(code)) tellLoss();
  });
  socket.prependOnceListener('close', tellLoss);
  return streams;
}
