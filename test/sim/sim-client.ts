import type { Runtime, TimerHandle } from '../../src/core/ports.ts';
import type { ClientSink, Serving } from '../../src/engine/port/call.ts';
import type { Reading } from './tape.ts';

/** What a caller is told. */
export type Told =
  | { readonly what: 'started' | 'restarted'; readonly serving: Serving; readonly writable: boolean }
  | { readonly what: 'output'; readonly text: string; readonly writable: boolean }
  | { readonly what: 'ping'; readonly writable: boolean };

/** A caller's end of a stream that reads at its own speed. */
export class SimClient implements ClientSink<string> {
  readonly #runtime: Runtime;
  readonly #reading: Reading;
  readonly #tell: (told: Told) => void;
  #room: number;
  #resume: (() => void) | undefined;
  #timer: TimerHandle | undefined;

  constructor(runtime: Runtime, reading: Reading, tell: (told: Told) => void) {
    this.#runtime = runtime;
    this.#reading = reading;
    this.#tell = tell;
    this.#room = reading.type === 'slow' ? reading.pieces : reading.type === 'never' ? 1 : Number.POSITIVE_INFINITY;
  }

  started(serving: Serving): void {
    this.#tell({ what: 'started', serving, writable: this.#room > 0 });
  }

  restarted(serving: Serving): void {
    this.#tell({ what: 'restarted', serving, writable: this.#room > 0 });
  }

  output(text: string): boolean {
    this.#tell({ what: 'output', text, writable: this.#room > 0 });
    this.#room -= 1;
    if (this.#room <= 0) this.#readLater();
    return this.#room > 0;
  }

  whenWritable(resume: () => void): void {
    this.#resume = resume;
    if (this.#room > 0) this.#callBack();
  }

  ping(): void {
    this.#tell({ what: 'ping', writable: this.#room > 0 });
  }

  /** The request is over: nothing is read any more. */
  close(): void {
    if (this.#timer !== undefined) this.#runtime.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #readLater(): void {
    const reading = this.#reading;
    if (reading.type !== 'slow' || this.#timer !== undefined) return;
    this.#timer = this.#runtime.setTimer(reading.pauseMs, () => {
      this.#timer = undefined;
      this.#room = reading.pieces;
      this.#callBack();
    });
  }

  #callBack(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }
}
