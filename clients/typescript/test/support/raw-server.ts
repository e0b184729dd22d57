import { once } from 'node:events';
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';

/** An HTTP/2 server that does with streams what a test says. */
export interface RawServer {
  readonly address: string;
  close(): void;
}

/** Starts it on a free port of the loopback. */
export async function startRawServer(onStream: (stream: ServerHttp2Stream) => void): Promise<RawServer> {
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', onStream);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the server has no port');
  return {
    address: `127.0.0.1:${bound.port}`,
    close: () => {
      server.close();
      for (const session of sessions) session.destroy();
    },
  };
}

/** Answers a unary call with an empty message. */
export function answerEmpty(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.alloc(5));
}
