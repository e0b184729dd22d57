import { LINGER_MS } from '../port/limits.ts';
import { Progress } from './transfer-watch.ts';

/** What a client goes on sending on an HTTP/2 stream whose request was refused: it is dropped, for a while. */
export class RefusedRest {
  #progress: Progress | undefined;

  /** Whether the client has had {@link LINGER_MS} since this was asked first. */
  isOver(nowMs: number): boolean {
    this.#progress ??= new Progress(nowMs);
    return this.#progress.isOver(nowMs, 0, { limitMs: LINGER_MS, stallMs: LINGER_MS });
  }
}
