import { createServer, type SecureServerOptions, createSecureServer } from 'node:http2';
import { once } from 'node:events';

import { connectNodeAdapter } from '@connectrpc/connect-node';

import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';

/** A gRPC server in the place of a gateway, which answers Generate and keeps what came with it. */
export interface RecordingGateway {
  readonly port: number;
  /** Headers of the calls, in their order. */
  readonly calls: readonly Headers[];
  close(): void;
}

/** Opens one on loopback, with TLS where there are options of it. */
export async function openRecordingGateway(tls?: SecureServerOptions): Promise<RecordingGateway> {
  const calls: Headers[] = [];
  const adapter = connectNodeAdapter({
    routes: (router) => {
      router.service(LlmService, {
        generate: (request, { requestHeader }) => {
          calls.push(requestHeader);
          return { text: request.prompt };
        },
      });
    },
  });
  const server = tls === undefined ? createServer(adapter) : createSecureServer(tls, adapter);
  // Clients that do not trust it, or whom it does not trust.
  server.on('sessionError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : 0,
    calls,
    close: () => void server.close(),
  };
}
