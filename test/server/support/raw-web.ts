import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect as connectHttp2, createServer as createHttp2Server, type Http2Server } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { ServiceImpl } from '@connectrpc/connect';
import { onTestFinished } from 'vitest';
import { LlmService } from '../../../gen/understudy/v1/llm_pb.ts';
import { createRpcListener } from '../../../src/server/http/calls/rpc-listener.ts';
import { webLimits } from '../../../src/server/http/calls/web-json.ts';
import { MAX_MESSAGE_BYTES } from '../../../src/server/port/limits.ts';
import { PlainCalls } from '../../../src/server/web/direct/plain-calls.ts';
import { plainMethods } from '../../../src/server/web/direct/plain-method.ts';
import { system } from '../../../src/system.ts';
import { createTransfers } from '../../../src/server/wire/transfers.ts';

/** What a request is, as bytes. */
export interface RawRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What came back: a status, headers in their order but for the time, and the body. */
export interface RawResponse {
  readonly head: readonly string[];
  readonly body: Buffer;
  /** The pieces of chunked coding. */
  readonly chunks: readonly Buffer[];
}

/** Servers of LlmService without a door around it. */
export interface BareWeb {
  /** The port of HTTP/1.1. */
  readonly port: number;
  /** Ends the calls. */
  readonly shutdown: AbortController;
  http1(request: RawRequest): Promise<RawResponse>;
  http2(request: RawRequest): Promise<RawResponse>;
}

/** Starts servers whose plain calls pass Connect by, or whose calls Connect answers all. */
export async function bareWeb(implementation: ServiceImpl<typeof LlmService>, isPlain: boolean): Promise<BareWeb> {
  const shutdown = new AbortController();
  const methods = plainMethods(LlmService, implementation, webLimits(MAX_MESSAGE_BYTES));
  const listener = createRpcListener({
    routes: (router) => router.service(LlmService, implementation),
    shutdownSignal: shutdown.signal,
    bodies: { runtime: system, transfers: createTransfers(system) },
    plain: isPlain ? new PlainCalls(methods, { runtime: system, shutdownSignal: shutdown.signal }) : undefined,
  });
  const port = await listening(createServer(listener));
  const port2 = await listening(createHttp2Server(listener));
  return { port, shutdown, http1: (request) => askHttp1(port, request), http2: (request) => askHttp2(port2, request) };
}

async function listening(server: Server | Http2Server): Promise<number> {
  onTestFinished(() => void server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

/** Sends a request on a connection of its own. */
export function sendHttp1(port: number, { method = 'POST', path, headers, body }: RawRequest): Socket {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  const lines = [`${method} ${path} HTTP/1.1`, 'host: localhost', 'connection: close'];
  const all = { 'content-length': String(body.byteLength), ...headers };
  for (const [name, value] of Object.entries(all)) lines.push(`${name}: ${value}`);
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  socket.write(body);
  return socket;
}

async function askHttp1(port: number, request: RawRequest): Promise<RawResponse> {
  const answer = await buffer(sendHttp1(port, request));
  const headEnd = answer.indexOf('\r\n\r\n');
  const head = answer.toString('latin1', 0, headEnd).split('\r\n');
  const rest = answer.subarray(headEnd + 4);
  const chunks = head.some((line) => /^transfer-encoding: chunked$/i.test(line)) ? chunksOf(rest) : [rest];
  return { head: head.filter((line) => !/^date:/i.test(line)), body: Buffer.concat(chunks), chunks };
}

function chunksOf(body: Buffer): readonly Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = body.indexOf('\r\n', at);
    const length = Number.parseInt(body.toString('latin1', at, lineEnd), 16);
    if (!(length > 0)) return chunks;
    chunks.push(body.subarray(lineEnd + 2, lineEnd + 2 + length));
    at = lineEnd + 2 + length + 2;
  }
}

async function askHttp2(port: number, { method = 'POST', path, headers, body }: RawRequest): Promise<RawResponse> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  onTestFinished(() => session.destroy());
  const stream = session.request({ ':method': method, ':path': path, ...headers });
  stream.on('error', () => undefined);
  stream.end(body);
  const head: string[] = [];
  stream.on('response', (received) => {
    for (const [name, value] of Object.entries(received)) if (name !== 'date') head.push(`${name}: ${String(value)}`);
  });
  const answer = await buffer(stream).catch(() => Buffer.from(`reset ${stream.rstCode}`));
  session.close();
  return { head, body: answer, chunks: [answer] };
}
