import { keptBytes } from './network/lent-bytes.ts';
import type { RequestHead } from './port/request-head.ts';
import { exceedsJsonBounds } from '../core/json-bounds.ts';
import type { Transport } from '../core/transport.ts';

/** Longest answer that is read, in bytes. */
const MAX_BYTES = 4 * 1024 * 1024;

/** A question beside the calls: free of charge, such as for a list of models. */
export interface Question {
  /** Path below the target's base URL. */
  readonly path: string;
  /** What is sent with POST. Absent: GET. */
  readonly body?: Readonly<Record<string, unknown>> | undefined;
}

/** An answer, read whole. */
export interface Reply {
  readonly status: number;
  readonly body: string;
}

/**
 * Asks a question; undefined where nobody answers, the answer is longer than 4 MiB or JSON that should not be parsed,
 * or the signal aborts, which closes the connection in the same turn. Never rejects.
 */
export function ask(
  transport: Transport,
  head: RequestHead,
  body: Question['body'],
  signal: AbortSignal,
): Promise<Reply | undefined> {
  const { promise, resolve } = Promise.withResolvers<Reply | undefined>();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let status = 0;
  const method = body === undefined ? 'GET' : 'POST';
  const exchange = transport.send(
    { method, ...head, body: body === undefined ? '' : JSON.stringify(body) },
    {
      onHeaders: (received) => {
        status = received;
      },
      onData: (chunk) => {
        chunks.push(keptBytes(chunk));
        bytes += chunk.length;
        if (bytes > MAX_BYTES) give(undefined);
      },
      onEnd: () => {
        const body = Buffer.concat(chunks).toString('utf8');
        give(exceedsJsonBounds(body) ? undefined : { status, body });
      },
      onError: () => give(undefined),
    },
  );
  const give = (reply: Reply | undefined): void => {
    signal.removeEventListener('abort', stop);
    exchange.abort();
    resolve(reply);
  };
  const stop = (): void => give(undefined);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  return promise;
}
