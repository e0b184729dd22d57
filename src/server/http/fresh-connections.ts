import type { Timers } from '../../core/ports.ts';

/** How long the first request of a new connection may be on its way, in milliseconds. */
const FIRST_REQUEST_MS = 1_000;

/**
 * The connections from which no request has come. Clients open one for a request that they send at once: where they are told that
 * each is the last of its connection, as while a door goes down, for every request. Node counts them as idle.
 */
export class FreshConnections {
  readonly #runtime: Pick<Timers, 'setTimer' | 'clearTimer'>;
  readonly #sockets = new Set<object | string>();
  #isGivenUp = false;
  #onEmpty: (() => void) | undefined;

  constructor(runtime: Pick<Timers, 'setTimer' | 'clearTimer'>) {
    this.#runtime = runtime;
  }

  /** Whether there is none, or none that is still waited for. */
  get isEmpty(): boolean {
    return this.#isGivenUp || this.#sockets.size === 0;
  }

  /** Takes a new connection, by its socket or a key of it. */
  add(socket: object | string): void {
    this.#sockets.add(socket);
  }

  /** Says that a request has come, or that the connection is closed. Does nothing where that was said before. */
  delete(socket: object | string): void {
    if (this.#sockets.delete(socket) && this.#sockets.size === 0) this.#onEmpty?.();
  }

  /** Resolves when there is none, within a second: who has sent nothing by then is given up. For when no new one can come. */
  used(): Promise<void> {
    if (this.isEmpty) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#runtime.setTimer(FIRST_REQUEST_MS, () => this.#onEmpty?.());
      this.#onEmpty = () => {
        this.#onEmpty = undefined;
        this.#isGivenUp = true;
        this.#runtime.clearTimer(timer);
        resolve();
      };
    });
  }
}
