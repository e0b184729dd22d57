import type { Runtime } from '../../core/ports.ts';

/** What is read only to be dropped. */
interface Droppable {
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown;
  once(event: 'close', listener: () => void): unknown;
  pause(): unknown;
  resume(): unknown;
}

/** Bytes a second that are read to be dropped: the rest of one request of the largest size within a second. */
const BYTES_PER_SECOND = 32 * 1024 * 1024;
/** How often more may be, in milliseconds. */
const STEP_MS = 50;
const BYTES_PER_STEP = (BYTES_PER_SECOND * STEP_MS) / 1_000;
/** What one read takes at most, about. */
const READ_BYTES = 64 * 1024;

/**
 * Reads what is left of requests that were answered before they were read whole, no faster than is cheap: what nobody wants is not
 * to take the time of others. Requests take turns.
 */
export class DroppedBytes {
  readonly #runtime: Pick<Runtime, 'setTimer'>;
  /** How many bytes may be read before the next step. */
  #left = BYTES_PER_STEP;
  /** Requests that are paused, the one whose turn is next first. */
  readonly #paused = new Set<Droppable>();
  #isStepping = false;

  constructor(runtime: Pick<Runtime, 'setTimer'>) {
    this.#runtime = runtime;
  }

  /** Reads and drops what comes of a request, until that is closed. */
  drop(request: Droppable): void {
    request.on('data', ({ byteLength }) => {
      this.#left -= byteLength;
      if (!this.#isStepping) this.#awaitStep();
      if (this.#left > 0) return;
      request.pause();
      this.#paused.add(request);
    });
    request.once('close', () => this.#paused.delete(request));
    request.resume();
  }

  #awaitStep(): void {
    this.#isStepping = true;
    this.#runtime.setTimer(STEP_MS, () => {
      this.#isStepping = false;
      this.#left = Math.min(BYTES_PER_STEP, this.#left + BYTES_PER_STEP);
      let places = Math.ceil(this.#left / READ_BYTES);
      for (const request of this.#paused) {
        if (places <= 0) break;
        places -= 1;
        this.#paused.delete(request);
        request.resume();
      }
      if (this.#paused.size > 0) this.#awaitStep();
    });
  }
}
