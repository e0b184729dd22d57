import { createServer } from 'node:http';
import { listenOnLoopback } from '../../support/listening.ts';

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
  const { origin, close } = await listenOnLoopback(server);
  return {
    origin,
    get requestCount() {
      return requests;
    },
    close,
  };
}
