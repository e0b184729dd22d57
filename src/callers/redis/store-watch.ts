import type { System, TimerHandle } from '../../core/ports.ts';

/** So many misses in a row, and the store is left alone. */
const MISSES = 3;

/** How often a store that is left alone is looked at, in milliseconds. */
const PROBE_MS = 1_000;

/** After how long without an answer the connection is given up, in milliseconds: nothing else ends one of which all is lost. */
const DEAD_MS = 5_000;

/** What the watch looks with. */
export interface WatchParts {
  readonly runtime: System;
  /** How long an answer may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Asks the store for nothing; rejects where it cannot be asked. */
  probe(): Promise<unknown>;
  /** Gives the connection up for a new one. */
  renew(): void;
  /** Says that the store is there again, or is left alone, and why. */
  changed(isUp: boolean, why: string): void;
}

/** Knows whether the store answers, so that calls do not wait for one that does not. */
export class StoreWatch {
  readonly #parts: WatchParts;
  #isUp = true;
  #misses = 0;
  #timer: TimerHandle | undefined;
  #probeSentAtMs: number | undefined;
  #isClosed = false;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /** Whether it may be asked. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Notes an answer that came after so many milliseconds. */
  answered(ms: number): void {
    if (ms <= this.#parts.timeoutMs) this.#misses = 0;
  }

  /** Notes that an answer did not come, or was none. */
  missed(why: string): void {
    this.#misses += 1;
    if (!this.#isUp || this.#misses < MISSES || this.#isClosed) return;
    this.#isUp = false;
    this.#parts.changed(false, why);
    this.#probeLater();
  }

  /** Looks at once whether a store that is left alone is there again. */
  look(): void {
    if (this.#isUp || this.#isClosed) return;
    const { runtime, timeoutMs } = this.#parts;
    const sentAtMs = runtime.now();
    if (this.#probeSentAtMs !== undefined) {
      if (sentAtMs - this.#probeSentAtMs < DEAD_MS) return this.#probeLater();
      this.#probeSentAtMs = undefined;
      this.#parts.renew();
      return this.#probeLater();
    }
    this.#probeSentAtMs = sentAtMs;
    const ended = (isUp: boolean): void => {
      if (this.#probeSentAtMs !== sentAtMs) return;
      this.#probeSentAtMs = undefined;
      if (!isUp || this.#isUp || this.#isClosed || runtime.now() - sentAtMs > timeoutMs) return;
      this.#isUp = true;
      this.#misses = 0;
      this.#parts.changed(true, '');
    };
    this.#parts.probe().then(
      () => ended(true),
      () => ended(false),
    );
    this.#probeLater();
  }

  /** Looks no more. */
  close(): void {
    this.#isClosed = true;
    if (this.#timer !== undefined) this.#parts.runtime.clearTimer(this.#timer);
  }

  #probeLater(): void {
    const { runtime } = this.#parts;
    if (this.#timer !== undefined) runtime.clearTimer(this.#timer);
    this.#timer = runtime.setIdleTimer(PROBE_MS * (0.9 + runtime.random() / 5), () => {
      this.#timer = undefined;
      this.look();
    });
  }
}
