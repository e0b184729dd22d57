import { once } from 'node:events';
import { createServer } from 'node:http';

/** A provider that fails. */
export interface FailingUpstream {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  /** Requests for an answer that have come. */
  readonly requestCount: number;
  close(): Promise<void>;
}

/** Starts one that answers 500, so many times; what comes behind that gets no answer at all. */
export async function startFailingUpstream(times = Number.POSITIVE_INFINITY): Promise<FailingUpstream> {
  let requests = 0;
  const server = createServer((request, response) => {
    request.resume();
    response.on('error', () => undefined);
    if (request.method !== 'POST') {
      response.writeHead(404).end();
      return;
    }
    requests += 1;
    if (requests > times) return;
    response.writeHead(500, { 'content-type': 'application/json' });
    response.end('{"error":{"message":"Words.","type":"server_error","code":null}}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the upstream listens on no port');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    get requestCount() {
      return requests;
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
