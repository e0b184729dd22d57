import type { Runtime } from '../../core/ports.ts';

/** How often it looks, in milliseconds, and by how much a timer is late without anybody's fault. */
const SLICE_MS = 5;
const TIMER_MS = 1;

/** Runs while answers are awaited, and stands still while this process itself is too busy to read them. */
export class AnswerClock {
  readonly #runtime: Runtime;
  readonly #due: () => void;
  #lostMs = 0;
  #isSet = false;

  /** @param due called now and then while answers are awaited, when all that has come is read */
  constructor(runtime: Runtime, due: () => void) {
    this.#runtime = runtime;
    this.#due = due;
  }

  /** Milliseconds from an arbitrary origin, without those in which this process was late. */
  now(): number {
    return this.#runtime.now() - this.#lostMs;
  }

  /** Looks once more before long. */
  look(): void {
    if (this.#isSet) return;
    this.#isSet = true;
    const dueAtMs = this.#runtime.now() + SLICE_MS + TIMER_MS;
    this.#runtime.setTimer(SLICE_MS, () => {
      void this.#runtime.yieldIo().then(() => {
        this.#isSet = false;
        this.#lostMs += Math.max(0, this.#runtime.now() - dueAtMs);
        this.#due();
      });
    });
  }
}
