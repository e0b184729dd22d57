import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';

import type { ChaosIdentity } from './chaos-upstream.ts';
import { listenOnLoopback } from './listening.ts';

/** A proxy as a network has one that lets out nothing else. */
export interface ForwardProxyServer {
  readonly origin: string;
  /** What it was asked, as `CONNECT 127.0.0.1:443` or `POST http://127.0.0.1:80/v1`. */
  readonly asked: readonly string[];
  /** The `proxy-authorization` of each. */
  readonly credentials: readonly (string | undefined)[];
  /** Refuses everything from now on with this status; `none` answers nothing. */
  refuse(status: number | 'none'): void;
  /** Resolves when it has been asked so often, with a promise of the end of that connection. */
  nthAsked(count: number): Promise<{ readonly closed: Promise<unknown> }>;
  close(): Promise<void>;
}

/** Starts a proxy that makes tunnels and passes on what is asked as it stands. */
export async function startForwardProxy(identity?: ChaosIdentity): Promise<ForwardProxyServer> {
  const asked: string[] = [];
  const credentials: (string | undefined)[] = [];
  const heard = new EventTarget();
  const connections: { closed: Promise<unknown> }[] = [];
  const open = new Set<Duplex>();
  let refusal: number | 'none' | undefined;

  const note = (incoming: IncomingMessage): void => {
    asked.push(`${incoming.method} ${incoming.url}`);
    credentials.push(incoming.headers['proxy-authorization']);
    connections.push({ closed: once(incoming.socket, 'close') });
    heard.dispatchEvent(new Event('asked'));
  };
  const passOn: RequestListener = (incoming, answer) => {
    note(incoming);
    if (refusal === 'none') return;
    if (refusal !== undefined) {
      answer.writeHead(refusal).end('refused');
      return;
    }
    const { 'proxy-authorization': _, ...headers } = incoming.headers;
    const passed = request(incoming.url ?? '', { agent: false, method: incoming.method, headers }, (received) => {
      answer.writeHead(received.statusCode ?? 502, received.headers);
      received.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    incoming.pipe(passed);
  };
  const server = identity === undefined ? createServer(passOn) : createTlsServer(identity, passOn);
  server.on('connect', (incoming: IncomingMessage, socket: Duplex) => {
    open.add(socket);
    socket.on('error', () => undefined);
    note(incoming);
    if (refusal === 'none') {
      socket.resume().on('end', () => socket.end());
      return;
    }
    if (refusal !== undefined) {
      socket.end(`HTTP/1.1 ${refusal} Refused\r\ncontent-length: 7\r\n\r\nrefused`);
      return;
    }
    const { hostname, port } = new URL(`http://${incoming.url}`);
    const tunnel = connect(Number(port === '' ? 80 : port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      tunnel.pipe(socket);
      socket.pipe(tunnel);
    });
    open.add(tunnel);
    tunnel.on('error', () => socket.destroy());
    socket.on('close', () => tunnel.destroy());
  });
  const listening = await listenOnLoopback(server);
  return {
    origin: identity === undefined ? listening.origin : listening.origin.replace('http:', 'https:'),
    asked,
    credentials,
    refuse: (status) => {
      refusal = status;
    },
    nthAsked: async (count) => {
      while (connections.length < count) await once(heard, 'asked');
      const connection = connections[count - 1];
      if (connection === undefined) throw new Error('it was not asked so often');
      return connection;
    },
    close: async () => {
      for (const socket of open) socket.destroy();
      await listening.close();
    },
  };
}
