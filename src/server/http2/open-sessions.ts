import {
  constants,
  type Http2Server,
  type Http2Session,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { Server as NetServer } from 'node:net';
import { tableStreams } from './stream-table.ts';
import { type SessionClock, WatchedSession } from './watched-session.ts';

/** How the connections of HTTP/2 servers are looked after. */
export interface OpenSessionsOptions {
  readonly runtime: SessionClock;
  /** After how long without a stream a connection is sent away, in milliseconds. */
  readonly idleTimeoutMs: number;
  /** Hears of each new connection. */
  readonly opened?: ((session: Http2Session) => void) | undefined;
}

/** The connections of one or more HTTP/2 servers. Each is sent away when it has been idle for long, all when the door closes. */
export class OpenSessions {
  readonly #options: OpenSessionsOptions;
  readonly #sessions = new Map<Http2Session, WatchedSession>();
  readonly #servers: Http2Server[] = [];
  #retired: Promise<void> | undefined;
  #usedAtMs = -Infinity;

  constructor(options: OpenSessionsOptions) {
    this.#options = options;
  }

  /** Looks after the connections of a server from now on. Its listeners for `stream` hear only of streams that are admitted. */
  watch(server: Http2Server): void {
    this.#servers.push(server);
    const others = server.listeners('stream');
    server.removeAllListeners('stream');
    server.on('stream', (stream: ServerHttp2Stream, ...rest: unknown[]) => {
      const { session } = stream;
      const watched = session === undefined ? undefined : this.#sessions.get(session);
      if (watched?.admit(stream) === false) return;
      for (const other of others) Reflect.apply(other, server, [stream, ...rest]);
    });
    server.on('session', (session) => this.#opened(session));
  }

  /** When a connection was open last, by the runtime's clock: now where one is; -Infinity where there was none. */
  get usedAtMs(): number {
    return this.#sessions.size > 0 ? this.#options.runtime.now() : this.#usedAtMs;
  }

  /** Closes the listeners and sends all connections away, while their streams run on. Resolves when no new stream can come. */
  retire(): Promise<void> {
    this.#retired ??= this.#sendAllAway();
    return this.#retired;
  }

  /** Closes all connections, whatever is under way. grpc-js does so itself only where it counts for channelz. */
  destroy(): void {
    for (const session of this.#sessions.keys()) session.destroy(undefined, constants.NGHTTP2_CANCEL);
  }

  async #sendAllAway(): Promise<void> {
    // `close` of an HTTP/2 server would close the connections, too, and refuse what is on its way.
    for (const server of this.#servers) NetServer.prototype.close.call(server);
    await Promise.all([...this.#sessions.values()].map((watched) => watched.retire()));
  }

  #opened(session: ServerHttp2Session): void {
    tableStreams(session);
    const { runtime, idleTimeoutMs } = this.#options;
    const watched = new WatchedSession(session, runtime, idleTimeoutMs);
    this.#sessions.set(session, watched);
    this.#options.opened?.(session);
    session.once('close', () => {
      this.#sessions.delete(session);
      this.#usedAtMs = runtime.now();
      watched.release();
    });
    // Its handshake was under way when the listeners closed.
    if (this.#retired !== undefined) void watched.retire();
  }
}
