import { createServer, Server } from 'node:http';
import { createSecureServer, type Http2SecureServer, type Http2Session } from 'node:http2';
import { Server as NetServer, type Socket } from 'node:net';

import type { Address } from '../../core/address.ts';
import type { System } from '../../core/ports.ts';
import { formatAddress, parseAddress } from '../../core/address.ts';
import type { ListenerName, TlsEvent } from '../port/tls-options.ts';
import { guardClients } from '../tls/guard-clients.ts';
import type { LiveTls } from '../tls/live-tls.ts';
import { OpenSessions } from '../http2/open-sessions.ts';
import { connectionKey, httpCallerKey } from '../port/share-key.ts';
import { RESET_GUARD } from '../http2/reset-budget.ts';
import { holdInput } from '../http2/unread-input.ts';
import { DroppedRequests } from '../wire/reading-pace.ts';
import { createTransfers, type Transfers } from '../wire/transfers.ts';
import type { WebRequest, WebResponse } from './exchange.ts';
import { FreshConnections } from './fresh-connections.ts';
import { endUnreadRequest } from './unread-request.ts';

/**
 * How long a connection may be idle, in milliseconds: longer than balancers keep theirs (Google's the longest, 600 s), so that none
 * sends a request into a connection that is about to be closed.
 */
const IDLE_TIMEOUT_MS = 620_000;

/** How long the head of a request may take to come, in milliseconds; idle time does not count. */
const HEADERS_TIMEOUT_MS = 60_000;

/** How often connections are looked at for that. */
const CHECK_MS = 5_000;

/** Calls that a browser may have under way over one HTTP/2 connection. */
const MAX_STREAMS = 1_000;

/** How a listener treats its connections. */
export interface ListenerOptions {
  /** What it is called in the log. */
  readonly name: ListenerName;
  /** Time, for idle connections and requests that are not read. */
  readonly runtime: Pick<System, 'now' | 'setTimer' | 'clearTimer' | 'setIdleTimer'>;
  /** Where given, TLS: HTTP/2, and HTTP/1.1 for clients that do not offer it. Default: plain HTTP/1.1. */
  readonly tls?: LiveTls | undefined;
  /** Hears of clients that are refused in the handshake. */
  readonly tlsHappened?: ((event: TlsEvent) => void) | undefined;
  /** How long a connection may be idle, in milliseconds. Default: 620,000. */
  readonly idleTimeoutMs?: number | undefined;
  /** Bounds what requests over HTTP/2 hold before they are read. Default: bounds of its own. */
  readonly transfers?: Transfers | undefined;
  /** Hears of each new connection of HTTP/2. */
  readonly opened?: ((session: Http2Session) => void) | undefined;
}

/** A server for HTTP with its connections. */
export interface HttpListener {
  readonly server: Server | Http2SecureServer;
  /** Listens on `host:port` and returns the bound address. Rejects where it cannot be bound. */
  listen(address: string): Promise<string>;
  /**
   * Takes no new connection and sends those of HTTP/2 away; one of HTTP/1.1 whose first request may be on its way gets a second.
   * Resolves when no new request can come but by connections that {@link closeIdle} closes.
   */
  retire(): Promise<void>;
  /** Closes the connections of HTTP/1.1 that are idle, once none waits for its first request; for a listener that is retired. */
  closeIdle(): void;
  /** Closes the server and all its connections, whatever they are doing. */
  close(): Promise<void>;
}

/** Reads where to listen. Throws a RangeError that names the text where it is no `host:port`. */
export function addressToBind(text: string): Address {
  const address = parseAddress(text);
  if (address === undefined) throw new RangeError(`"${text}" is not an address of the form host:port`);
  return address;
}

/**
 * Makes a server that hands each request to `answer`. What `answer` throws is a fault that nobody has caught: it ends that request,
 * with 500 where nothing was sent yet, and no other. What of a request is not read by then is read for five seconds more.
 */
export function createListener(
  options: ListenerOptions,
  answer: (request: WebRequest, response: WebResponse) => void,
): HttpListener {
  const { runtime, tls, idleTimeoutMs = IDLE_TIMEOUT_MS } = options;
  /** The connections of HTTP/1.1 that no request has come from, and those in their handshake. */
  const fresh = new FreshConnections(runtime);
  const dropped = new DroppedRequests(runtime);
  const { budget } = options.transfers ?? createTransfers(runtime);
  const guarded = (request: WebRequest, response: WebResponse): void => {
    if ('stream' in request) holdInput(request.stream, budget, httpCallerKey(request.httpVersionMajor, request.socket));
    else fresh.delete(freshKey(request.socket));
    // An error without a listener would end the process; 'close' follows and is heard where it matters.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    endUnreadRequest(request, response, runtime, dropped);
    try {
      answer(request, response);
    } catch (error) {
      if (!response.headersSent) response.statusCode = 500;
      response.end();
      queueMicrotask(() => {
        throw error;
      });
    }
  };
  // A socket with TLS is another object than the one below it.
  const freshKey = (socket: Socket): string | Socket => (tls === undefined ? socket : connectionKey(socket));
  const server = tls === undefined ? createServer(guarded) : secureServer(tls, guarded);
  const sessions = new OpenSessions({ runtime, idleTimeoutMs, opened: options.opened });
  if (!(server instanceof Server)) {
    sessions.watch(server);
    if (tls !== undefined) secure(server, tls, options);
    server.on('secureConnection', (socket) => {
      if (socket.alpnProtocol === 'h2') fresh.delete(freshKey(socket));
    });
  }
  Object.assign(server, {
    keepAliveTimeout: idleTimeoutMs,
    headersTimeout: HEADERS_TIMEOUT_MS,
    // Bodies that are read have a limit that is set, `transfer_timeout`; the others end five seconds behind their answer.
    requestTimeout: 0,
    connectionsCheckingInterval: CHECK_MS,
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    const key = freshKey(socket);
    sockets.add(socket);
    fresh.add(key);
    socket.once('close', () => {
      sockets.delete(socket);
      fresh.delete(key);
    });
  });
  return {
    server,
    listen: (address) => bindServer(server, addressToBind(address)),
    retire: async () => {
      // `close` of an HTTP server would close fresh connections, too.
      if (server instanceof Server) NetServer.prototype.close.call(server);
      await Promise.all([sessions.retire(), fresh.used()]);
    },
    closeIdle: () => {
      if ('closeIdleConnections' in server && fresh.isEmpty) server.closeIdleConnections();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function secureServer(tls: LiveTls, answer: (request: WebRequest, response: WebResponse) => void): Http2SecureServer {
  return createSecureServer(
    {
      ...tls.serverOptions,
      ...tls.context,
      allowHTTP1: true,
      settings: { maxConcurrentStreams: MAX_STREAMS },
      ...RESET_GUARD,
    },
    answer,
  );
}

/** Has a server that takes no connection yet refuse whom it must, and follow the certificates. */
function secure(server: Http2SecureServer, tls: LiveTls, { name, runtime, tlsHappened }: ListenerOptions): void {
  const refused = (why: string): void => tlsHappened?.({ kind: 'refused', listener: name, why });
  guardClients(server, { clients: tls.clients, runtime, refused });
  server.once(
    'close',
    tls.follow((context) => server.setSecureContext(context)),
  );
}

function bindServer(server: Server | Http2SecureServer, { host, port }: Address): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const bound = server.address();
      if (bound === null || typeof bound === 'string') reject(new Error('the server does not listen on a port'));
      else resolve(formatAddress({ host, port: bound.port }));
    });
  });
}
