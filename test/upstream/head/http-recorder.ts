import { ConnectionError } from '../../../src/upstream/network/socket-failure.ts';
import type { HttpExchange, HttpHandler, Transport } from '../../../src/core/transport.ts';

/** What a handler has heard of one exchange, and promises of what it will hear. */
export interface HttpRecord {
  readonly exchange: HttpExchange;
  /** Every call of the handler so far: `headers 200`, `data`, `end`, `error`. */
  readonly calls: readonly string[];
  readonly headers: Promise<{ readonly status: number; readonly headers: Readonly<Record<string, string>> }>;
  readonly firstData: Promise<void>;
  /** Resolves with the text of the body, or the error, when the exchange has ended. */
  readonly outcome: Promise<{ readonly body: string; readonly pieces: number; readonly error?: unknown }>;
}

/** Sends a request and records what comes back; `heard` is called with each call of the handler. */
export function record(
  transport: Transport,
  url: string,
  body = '{}',
  heard: (call: string) => void = () => undefined,
): HttpRecord {
  const calls: string[] = [];
  const chunks: Uint8Array[] = [];
  const headers = Promise.withResolvers<Awaited<HttpRecord['headers']>>();
  const firstData = Promise.withResolvers<void>();
  const outcome = Promise.withResolvers<Awaited<HttpRecord['outcome']>>();
  const text = (): string => Buffer.concat(chunks).toString('utf8');
  const hear = (call: string): void => {
    calls.push(call);
    heard(call);
  };
  const handler: HttpHandler = {
    onHeaders: (status, all) => {
      hear(`headers ${status}`);
      headers.resolve({ status, headers: all });
    },
    onData: (chunk) => {
      hear('data');
      chunks.push(chunk);
      firstData.resolve();
    },
    onEnd: () => {
      hear('end');
      outcome.resolve({ body: text(), pieces: chunks.length });
    },
    onError: (error) => {
      hear('error');
      outcome.resolve({ body: text(), pieces: chunks.length, error });
    },
  };
  const request = { method: 'POST', url: new URL(url), headers: { 'content-type': 'application/json' }, body } as const;
  return {
    exchange: transport.send(request, handler),
    calls,
    headers: headers.promise,
    firstData: firstData.promise,
    outcome: outcome.promise,
  };
}

/** What a transport knew of the connection that failed. */
export function phaseOf(error: unknown): string {
  return error instanceof ConnectionError ? `${error.phase}${error.reused ? ', reused' : ''}` : String(error);
}
