import type { Server, ServerResponse } from 'node:http';
import type { Runtime } from '../../core/ports.ts';

/**
 * The connections of an HTTP/1.1 server as it goes down. HTTP/1.1 has no GOAWAY: a client learns from `Connection: close` in an
 * answer that the next request goes elsewhere.
 */
export class LastAnswers {
  readonly #server: Server;
  readonly #now: Runtime['now'];
  readonly #isLeaving: () => boolean;
  readonly #underWay = new Set<ServerResponse>();
  #connections = 0;
  #usedAtMs = -Infinity;
  #isClosing = false;

  /** @param isLeaving whether clients are to go elsewhere, although new connections are still taken */
  constructor(server: Server, now: Runtime['now'], isLeaving: () => boolean) {
    this.#server = server;
    this.#now = now;
    this.#isLeaving = isLeaving;
    server.on('connection', (socket) => {
      this.#connections += 1;
      socket.once('close', () => {
        this.#connections -= 1;
        this.#usedAtMs = now();
      });
    });
  }

  /** When a connection was open last: now where one is; -Infinity where there was none. */
  get usedAtMs(): number {
    return this.#connections > 0 ? this.#now() : this.#usedAtMs;
  }

  /** Looks after the answer of a request that has come. */
  add(response: ServerResponse): void {
    if (this.#isClosing || this.#isLeaving()) response.setHeader('connection', 'close');
    this.#underWay.add(response);
    response.once('close', () => {
      this.#underWay.delete(response);
      // Its head was out before, so that it could not say that the connection ends with it.
      if (this.#isClosing) this.#server.closeIdleConnections();
    });
  }

  /** Closes the listener and all idle connections at once, and each other one behind the answer under way. */
  sendAway(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    for (const response of this.#underWay) if (!response.headersSent) response.setHeader('connection', 'close');
    this.#server.close();
    this.#server.closeIdleConnections();
  }
}
