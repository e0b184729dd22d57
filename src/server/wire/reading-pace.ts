import type { EventLoop } from '../../core/cohort.ts';
import type { Runtime } from '../../core/ports.ts';

/** What is read, and can be told to wait. */
export interface PacedSource {
  pause(): unknown;
  resume(): unknown;
}

/** What is read to be dropped. */
interface DroppedSource extends PacedSource {
  read(bytes: number): unknown;
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown;
  once(event: 'close', listener: () => void): unknown;
}

/** What one read takes at most, about. */
const READ_BYTES = 64 * 1024;

/** Bytes of large bodies that are read in one turn of the event loop: about a millisecond of work. */
const BYTES_PER_TURN = 512 * 1024;

/** Bytes that are read to be dropped in {@link DROP_MS}: 8 MiB a second, so that the rest of the largest request is gone in time. */
const DROPPED_BYTES = 400 * 1024;
const DROP_MS = 50;

/** Bounds how much is read from one step to the next, whoever it is read of; sources take turns. */
export class ReadingPace {
  readonly #bytesPerStep: number;
  readonly #awaitStep: (step: () => void) => void;
  /** How many bytes may be read before the next step; negative where more was. */
  #left: number;
  /** Sources that are paused, the one whose turn is next first. */
  readonly #paused = new Set<PacedSource>();
  #isStepping = false;

  /** @param awaitStep calls back when more may be read */
  constructor(bytesPerStep: number, awaitStep: (step: () => void) => void) {
    this.#bytesPerStep = bytesPerStep;
    this.#awaitStep = awaitStep;
    this.#left = bytesPerStep;
  }

  /** Counts what was read of a source, and has it wait where no more may be read. */
  read(source: PacedSource, bytes: number): void {
    this.#left -= bytes;
    if (!this.#isStepping) this.#step();
    if (this.#left > 0) return;
    source.pause();
    this.#paused.add(source);
  }

  /** Forgets a source; it stays as it is. */
  leave(source: PacedSource): void {
    this.#paused.delete(source);
  }

  #step(): void {
    this.#isStepping = true;
    this.#awaitStep(() => {
      this.#isStepping = false;
      this.#left = Math.min(this.#bytesPerStep, this.#left + this.#bytesPerStep);
      let places = Math.ceil(this.#left / READ_BYTES);
      for (const source of this.#paused) {
        if (places <= 0) break;
        places -= 1;
        this.#paused.delete(source);
        source.resume();
      }
      if (this.#paused.size > 0) this.#step();
    });
  }
}

/** Makes the pace at which large bodies are received, so that no turn of the event loop is spent on them alone. */
export function paceOfBodies(loop: EventLoop): ReadingPace {
  return new ReadingPace(BYTES_PER_TURN, (step) => loop.afterInput(step));
}

/**
 * Reads and drops what is left of requests that were answered before they were read whole, no faster than is cheap: what nobody wants
 * is not to take the time of others.
 */
export class DroppedRequests {
  readonly #pace: ReadingPace;

  constructor(runtime: Pick<Runtime, 'setTimer'>) {
    this.#pace = new ReadingPace(DROPPED_BYTES, (step) => void runtime.setTimer(DROP_MS, step));
  }

  /** Reads what comes of a request until that is closed. */
  drop(request: DroppedSource): void {
    // What nobody has ever read, Node drops by itself behind the answer, as fast as it comes.
    request.read(0);
    request.on('data', ({ byteLength }) => this.#pace.read(request, byteLength));
    request.once('close', () => this.#pace.leave(request));
    request.resume();
  }
}
