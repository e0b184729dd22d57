import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as passed } from 'node:timers/promises';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';

import type { Arrivals } from './arrivals.ts';
import { createArrivals } from './arrivals.ts';
import type { ChaosRequest } from './chaos-request.ts';
import { parseRequest } from './chaos-request.ts';

/** What the upstream does next on the connection that a request came on. */
export type ChaosStep =
  | { readonly do: 'send'; readonly bytes: string | Uint8Array }
  /** Waits for a promise of the test. */
  | { readonly do: 'hold'; readonly until: Promise<unknown> }
  /** Takes its time, as slow providers do. */
  | { readonly do: 'pause'; readonly ms: number }
  /** Sends the same again and again until the client closes the connection. */
  | { readonly do: 'drip'; readonly bytes: string | Uint8Array; readonly everyMs: number }
  /** Waits until the client has closed the connection. */
  | { readonly do: 'await_close' }
  /** Closes with a FIN. */
  | { readonly do: 'end' }
  /** Closes with an RST. */
  | { readonly do: 'reset' };

/** A connection as the upstream sees it. */
export interface ChaosConnection {
  /** Resolves when the connection is closed, from whichever side. */
  readonly closed: Promise<void>;
  isOpen(): boolean;
}

/** A raw HTTP/1.1 server that does what scripts say, down to the byte. */
export interface ChaosUpstream {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  /** Says how the next request that has no script yet is answered. Without a script the connection is reset. */
  script(...steps: readonly ChaosStep[]): void;
  /** Says how requests without a script are answered; makes the steps when one has come whole. */
  otherwise(make: (request: ChaosRequest) => readonly ChaosStep[]): void;
  /** Resolves with the n-th request (from 0) when it has come whole. */
  request(index: number): Promise<ChaosRequest>;
  /** Resolves with the n-th connection (from 0) when it is accepted. */
  connection(index: number): Promise<ChaosConnection>;
  readonly requestCount: number;
  /** How many steps were begun. */
  readonly stepCount: number;
  readonly connectionCount: number;
  /** Resolves when every connection that was accepted so far is closed, from whichever side. */
  allClosed(): Promise<void>;
  /** Closes everything; may be called again. */
  close(): Promise<void>;
}

/** The step that sends bytes. */
export function send(bytes: string | Uint8Array): ChaosStep {
  return { do: 'send', bytes };
}

/** The step that sends the head of a response: a status line and headers as given, nothing added. */
export function head(status: number, headers: Readonly<Record<string, string | number>> = {}): ChaosStep {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return send(`HTTP/1.1 ${status} Status\r\n${lines.join('')}\r\n`);
}

/** The step that sends a whole response with a correct content-length. */
export function respond(status: number, type: string, body: string | Uint8Array): ChaosStep {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  const start = `HTTP/1.1 ${status} Status\r\ncontent-type: ${type}\r\ncontent-length: ${bytes.length}\r\n\r\n`;
  return send(Buffer.concat([Buffer.from(start), bytes]));
}

/** The step that sends one chunk of a chunked body. */
export function chunk(body: string | Uint8Array): ChaosStep {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return send(Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]));
}

/** The step that ends a chunked body. */
export const lastChunk: ChaosStep = send('0\r\n\r\n');

/** What a chaos upstream shows in a TLS handshake, PEM. */
export interface ChaosIdentity {
  readonly key: string;
  readonly cert: string;
}

/** Starts a chaos upstream on a free port of 127.0.0.1; with an identity it speaks TLS. */
export async function startChaosUpstream(identity?: ChaosIdentity): Promise<ChaosUpstream> {
  const scripts: (readonly ChaosStep[])[] = [];
  const answers: ChaosAnswers = {
    begun: 0,
    stepsFor: (request) => scripts.shift() ?? answers.unscripted(request),
    unscripted: () => [{ do: 'reset' }],
  };
  const requests = createArrivals<ChaosRequest>();
  const connections = createArrivals<ChaosConnection>();
  const sockets = new Set<Socket>();
  const closings: Promise<void>[] = [];
  const accept = (socket: Socket): void => {
    const number = connections.count();
    sockets.add(socket);
    // A reset is what many tests want to see; it is seen as a close.
    socket.on('error', () => undefined);
    const closed = new Promise<void>((resolve) => {
      socket.once('close', () => {
        sockets.delete(socket);
        resolve();
      });
    });
    closings.push(closed);
    connections.arrive({ closed, isOpen: () => sockets.has(socket) });
    void serve(socket, number, closed, requests, answers);
  };
  const server =
    identity === undefined
      ? createServer({ noDelay: true }, accept)
      : createTlsServer({ ...identity, noDelay: true }, accept);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `${identity === undefined ? 'http' : 'https'}://127.0.0.1:${portOf(server.address())}`,
    script: (...steps) => void scripts.push(steps),
    otherwise: (make) => {
      answers.unscripted = make;
    },
    request: (index) => requests.at(index),
    connection: (index) => connections.at(index),
    get stepCount() {
      return answers.begun;
    },
    get requestCount() {
      return requests.count();
    },
    get connectionCount() {
      return connections.count();
    },
    allClosed: async () => {
      await Promise.all(closings);
    },
    close: async () => {
      if (!server.listening) return;
      const done = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await done;
    },
  };
}

/** How requests are answered, and how many steps were begun. */
interface ChaosAnswers {
  begun: number;
  readonly stepsFor: (request: ChaosRequest) => readonly ChaosStep[];
  unscripted: (request: ChaosRequest) => readonly ChaosStep[];
}

async function serve(
  socket: Socket,
  connection: number,
  closed: Promise<void>,
  requests: Arrivals<ChaosRequest>,
  answers: ChaosAnswers,
): Promise<void> {
  let received: Buffer = Buffer.alloc(0);
  const wakers: (() => void)[] = [];
  socket.on('data', (data) => {
    received = Buffer.concat([received, typeof data === 'string' ? Buffer.from(data) : data]);
    wakers.shift()?.();
  });
  while (!socket.destroyed) {
    const parsed = parseRequest(received, connection);
    if (parsed === undefined) {
      await Promise.race([new Promise<void>((resolve) => wakers.push(resolve)), closed]);
      continue;
    }
    received = received.subarray(parsed.size);
    requests.arrive(parsed.request);
    await play(socket, closed, answers, answers.stepsFor(parsed.request));
  }
}

async function play(
  socket: Socket,
  closed: Promise<void>,
  answers: ChaosAnswers,
  steps: readonly ChaosStep[],
): Promise<void> {
  for (const step of steps) {
    if (socket.destroyed) return;
    answers.begun += 1;
    switch (step.do) {
      case 'send':
        await Promise.race([new Promise<void>((resolve) => socket.write(step.bytes, () => resolve())), closed]);
        break;
      case 'hold':
        await Promise.race([step.until, closed]);
        break;
      case 'pause':
        await Promise.race([passed(step.ms), closed]);
        break;
      case 'drip':
        while (!socket.destroyed) {
          socket.write(step.bytes);
          await Promise.race([passed(step.everyMs), closed]);
        }
        break;
      case 'await_close':
        await closed;
        break;
      case 'end':
        socket.end();
        break;
      case 'reset':
        // A connection with TLS ends with a FIN, but without a goodbye.
        if (socket instanceof TLSSocket) socket.destroy();
        else socket.resetAndDestroy();
        break;
    }
  }
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  return address.port;
}
