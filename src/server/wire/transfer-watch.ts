import { LiveList } from '../../core/live-list.ts';
import type { System } from '../../core/ports.ts';

/** What a watch needs of time; its timer keeps no process alive. */
type WatchClock = Pick<System, 'now' | 'setIdleTimer'>;

/** Something that is received or sent. */
export interface Transfer {
  /**
   * Asked about once a second: ends what has taken too long.
   *
   * @param nowMs the monotonic clock
   */
  check(nowMs: number, patience: Patience): void;
}

/** How long transfers are waited for, in milliseconds. */
export interface Patience {
  /** From the first byte to the last. */
  readonly limitMs: number;
  /** Without any byte. */
  readonly stallMs: number;
}

/** How far a transfer is; made when it is first looked at. */
export class Progress {
  readonly #beganAtMs: number;
  #movedAtMs: number;
  #bytes = 0;

  constructor(nowMs: number) {
    this.#beganAtMs = nowMs;
    this.#movedAtMs = nowMs;
  }

  /** Whether it has taken too long; `bytes` is what has gone over so far. */
  isOver(nowMs: number, bytes: number, { limitMs, stallMs }: Patience): boolean {
    if (bytes !== this.#bytes) this.#movedAtMs = nowMs;
    this.#bytes = bytes;
    return nowMs - this.#beganAtMs >= limitMs || nowMs - this.#movedAtMs >= stallMs;
  }
}

/** How long something may stand still where there is no room for others, in milliseconds. */
const TIGHT_PATIENCE_MS = 5_000;

const LONGEST_INTERVAL_MS = 1_000;

/**
 * Watches what is under way at a door, so that none of it needs a timer of its own: they are thousands a second, and hardly one
 * is slow. Keeps time to a second, or a quarter of `limitMs` where that is less.
 */
export class TransferWatch {
  readonly #clock: WatchClock;
  readonly #limitMs: number;
  readonly #isTight: () => boolean;
  readonly #transfers = new LiveList<Transfer>();
  #count = 0;
  #isRunning = false;

  /** @param limitMs how long a request may take to arrive, and an answer to be read */
  constructor(clock: WatchClock, limitMs: number, isTight: () => boolean) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#isTight = isTight;
  }

  /** Begins to watch; the place is for {@link remove}. */
  add(transfer: Transfer): number {
    this.#count += 1;
    if (!this.#isRunning) this.#restart();
    return this.#transfers.add(transfer);
  }

  /** Stops watching; once for each place. */
  remove(place: number): void {
    this.#count -= 1;
    this.#transfers.remove(place);
  }

  #restart(): void {
    const intervalMs = Math.min(LONGEST_INTERVAL_MS, Math.ceil(this.#limitMs / 4));
    this.#isRunning = true;
    this.#clock.setIdleTimer(intervalMs, () => {
      this.#isRunning = false;
      const nowMs = this.#clock.now();
      const limitMs = this.#limitMs;
      const patience = { limitMs, stallMs: this.#isTight() ? Math.min(TIGHT_PATIENCE_MS, limitMs) : limitMs };
      for (const transfer of this.#transfers.all()) transfer.check(nowMs, patience);
      if (this.#count > 0) this.#restart();
    });
  }
}
