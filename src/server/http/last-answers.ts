import { LiveList } from '../../core/live-list.ts';
import type { Runtime } from '../../core/ports.ts';
import type { WebResponse } from './exchange.ts';
import type { HttpListener } from './listener.ts';

/**
 * The connections of an HTTP/1.1 server as it goes down. HTTP/1.1 has no GOAWAY: a client learns from `Connection: close` in an
 * answer that the next request goes elsewhere.
 */
export class LastAnswers {
  readonly #listener: HttpListener;
  readonly #now: Runtime['now'];
  readonly #isLeaving: () => boolean;
  readonly #underWay = new LiveList<WebResponse>();
  #connections = 0;
  #usedAtMs = -Infinity;
  #isClosing = false;
  #retired: Promise<void> | undefined;

  /** @param isLeaving whether clients are to go elsewhere, although new connections are still taken */
  constructor(listener: HttpListener, now: Runtime['now'], isLeaving: () => boolean) {
    this.#listener = listener;
    this.#now = now;
    this.#isLeaving = isLeaving;
    listener.server.on('connection', (socket) => {
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
  add(response: WebResponse): void {
    if (this.#isClosing || this.#isLeaving()) sayClose(response);
    const place = this.#underWay.add(response);
    response.once('close', () => {
      this.#underWay.remove(place);
      // Its head was out before, so that it could not say that the connection ends with it.
      if (this.#isClosing) this.#closeIdle();
    });
  }

  /**
   * Closes the listener and all idle connections at once, and each other one behind the answer under way. Resolves when no new call
   * can come.
   */
  sendAway(): Promise<void> {
    this.#isClosing = true;
    this.#retired ??= this.#sendAllAway();
    return this.#retired;
  }

  async #sendAllAway(): Promise<void> {
    for (const response of this.#underWay.all()) sayClose(response);
    await this.#listener.retire();
    this.#closeIdle();
  }

  /** Node takes a connection for idle whose answer has ended and is still being read; when that has left, it is looked at again. */
  #closeIdle(): void {
    const isStillRead = this.#underWay.all().some((response) => !('stream' in response) && response.writableEnded);
    if (!isStillRead) this.#listener.closeIdle();
  }
}

/** HTTP/2 has no such header: there the connection is told. */
function sayClose(response: WebResponse): void {
  if (!('stream' in response) && !response.headersSent) response.setHeader('connection', 'close');
}
