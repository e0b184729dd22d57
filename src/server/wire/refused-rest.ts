import { LINGER_MS } from '../port/limits.ts';
import { Progress } from './transfer-watch.ts';

/** What is read after a refusal, in bytes; a client that sends more waits for its window, and has its answer meanwhile. */
const MOST_BYTES = 64 * 1024;

/** What a client goes on sending on an HTTP/2 stream whose request was refused: a little of it is read, for a while. */
export class RefusedRest {
  #bytes = 0;
  #progress: Progress | undefined;

  /** Counts bytes that were read and dropped. Tells whether no more should be read. */
  drop(bytes: number): boolean {
    this.#bytes += bytes;
    return this.#bytes > MOST_BYTES;
  }

  /** Whether the client has had {@link LINGER_MS} since this was asked first. */
  isOver(nowMs: number): boolean {
    this.#progress ??= new Progress(nowMs);
    return this.#progress.isOver(nowMs, 0, { limitMs: LINGER_MS, stallMs: LINGER_MS });
  }
}
