import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { ServerHttp2Session } from 'node:http2';
import { connectNodeAdapter } from '@connectrpc/connect-node';

import { LlmService } from '../../../gen/understudy/v1/llm_pb.ts';

/** A gRPC server that answers with what it got. */
export interface EchoServer {
  /** `127.0.0.1:port` */
  readonly address: string;
  close(): Promise<void>;
}

const SHORT_BYTES = 1_024;
const MAX_BYTES = 20 * 1_024 * 1_024;

/** Starts one. Generate answers with the JSON of the call's metadata or, where the prompt is longer than 1 KiB, with the prompt. */
export async function startEchoServer(): Promise<EchoServer> {
  const adapter = connectNodeAdapter({
    grpc: true,
    grpcWeb: false,
    connect: false,
    readMaxBytes: MAX_BYTES,
    writeMaxBytes: MAX_BYTES,
    routes: (router) =>
      router.service(LlmService, {
        generate: ({ prompt }, { requestHeader }) => ({
          text: prompt.length > SHORT_BYTES ? prompt : JSON.stringify(Object.fromEntries(requestHeader)),
          provider: 'echo',
          target: 'echo',
        }),
      }),
  });
  const sessions = new Set<ServerHttp2Session>();
  const server = createServer({ settings: { initialWindowSize: 1_048_576 } }, adapter);
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the echo server listens on no port');
  return {
    address: `127.0.0.1:${address.port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
}
