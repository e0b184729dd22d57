import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import { listenOnLoopback } from './listening.ts';

/** An upstream that answers every call badly and repeats in its answer all that it was sent. */
export interface EchoUpstream {
  /** `http://127.0.0.1:port`; the first step of a path is one of {@link ECHO_FAULTS}. */
  readonly origin: string;
  /** All that was received: paths, headers, bodies. */
  received(): string;
  close(): Promise<void>;
}

interface Fault {
  readonly status: number;
  readonly type: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes the body of all that was received, and of the credential alone, which passes for a word of a provider. */
  body(echo: string, credential: string): string;
}

/** Words that the upstream adds of its own. */
export const UPSTREAM_WORDS = 'planted-words-of-the-provider';

const STREAM = 'text/event-stream';

const errorBody = (echo: string, credential: string): string =>
  JSON.stringify({
    type: 'error',
    error: { message: echo, type: credential, code: credential, param: echo, innererror: { code: credential } },
    message: echo,
    detail: echo,
    request_id: echo,
  });

const asText = (echo: string): string => `<html><body>${echo}</body></html>`;

/** What can be wrong with an answer, by the first step of the path. */
export const ECHO_FAULTS: Readonly<Record<string, Fault>> = {
  'bad-request': { status: 400, type: 'application/json', body: errorBody },
  unauthorized: { status: 401, type: 'application/json', body: errorBody },
  forbidden: { status: 403, type: 'text/plain', body: (echo) => echo },
  unknown: { status: 404, type: 'application/json', body: (echo) => JSON.stringify({ error: echo }) },
  limited: { status: 429, type: 'application/json', headers: { 'retry-after': '30' }, body: errorBody },
  failed: { status: 500, type: 'application/json', body: errorBody },
  gateway: { status: 502, type: 'text/html', body: asText },
  moved: { status: 302, type: 'text/html', headers: { location: `http://${UPSTREAM_WORDS}.invalid/` }, body: asText },
  page: { status: 200, type: 'text/html', body: asText },
  'bad-json': { status: 200, type: 'application/json', body: (echo) => `{"id": "${echo}` },
  'bad-event': { status: 200, type: STREAM, body: (echo) => `data: {"id": ${echo}\n\n` },
  'bad-line': { status: 200, type: 'application/x-ndjson', body: (echo) => `{"message": ${echo}\n` },
  'error-event': { status: 200, type: STREAM, body: (...all) => `event: error\ndata: ${errorBody(...all)}\n\n` },
  'error-line': { status: 200, type: 'application/x-ndjson', body: (echo) => `${JSON.stringify({ error: echo })}\n` },
};

/** Starts an echo upstream on a free port of 127.0.0.1. */
export async function startEchoUpstream(): Promise<EchoUpstream> {
  const received: string[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const echo = await readAll(request);
      received.push(echo);
      const fault = ECHO_FAULTS[request.url?.split('/')[1] ?? ''];
      if (fault === undefined) throw new Error(`no such fault: ${request.url ?? ''}`);
      const { status, type, headers, body } = fault;
      const credential = credentialOf(request);
      response.writeHead(status, {
        'content-type': type,
        'x-request-id': credential,
        'request-id': credential,
        ...headers,
      });
      response.end(body(`${UPSTREAM_WORDS} ${echo}`, credential));
    })();
  });
  const { origin, close } = await listenOnLoopback(server);
  return {
    origin,
    received: () => received.join('\n'),
    close,
  };
}

function credentialOf({ headers }: IncomingMessage): string {
  const { authorization, 'api-key': azureKey, 'x-api-key': anthropicKey } = headers;
  return String(azureKey ?? anthropicKey ?? authorization).replace('Bearer ', '');
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return [request.url, ...request.rawHeaders, Buffer.concat(chunks).toString('utf8')].join(' ');
}
