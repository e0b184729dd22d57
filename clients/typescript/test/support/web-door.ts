import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ServiceImpl } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { LlmService } from '../../gen/understudy/v1/llm_pb.js';

/** A web door on a socket of its own. */
export interface WebDoor {
  readonly url: string;
  close(): void;
}

/** Serves LlmService over Connect, as the web door of the gateway does, on a free port of the loopback. */
export async function startWebDoor(handlers: Partial<ServiceImpl<typeof LlmService>>): Promise<WebDoor> {
  const server = createServer(connectNodeAdapter({ routes: (router) => void router.service(LlmService, handlers) }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the door has no port');
  return {
    url: `http://127.0.0.1:${bound.port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
