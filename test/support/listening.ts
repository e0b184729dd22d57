import { once } from 'node:events';
import type { Server } from 'node:http';

/** A server that listens on a free port of this machine. */
export interface ListeningServer {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  /** Closes it with all its connections, those with requests under way among them. */
  close(): Promise<void>;
}

/** Has a server listen on a free port of the loopback address. */
export async function listenOnLoopback(server: Server): Promise<ListeningServer> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
