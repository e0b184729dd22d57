import type { Runtime } from '../../core/ports.ts';

/** Looks after a time for questions that were not answered in it. One look is due at a time. */
export class AnswerClock {
  readonly #runtime: Runtime;
  readonly #due: (lateMs: number) => void;
  #isSet = false;

  /** @param due told by how many milliseconds this process itself was late */
  constructor(runtime: Runtime, due: (lateMs: number) => void) {
    this.#runtime = runtime;
    this.#due = due;
  }

  /** Looks after so many milliseconds, unless it is to look already. */
  look(ms: number): void {
    if (this.#isSet) return;
    this.#isSet = true;
    const dueAtMs = this.#runtime.now() + ms;
    this.#runtime.setTimer(ms, () => {
      const lateMs = Math.max(0, this.#runtime.now() - dueAtMs);
      // What came while this process was busy is read first, and what could not even be sent has its time yet.
      void this.#runtime.yieldIo().then(() => {
        this.#isSet = false;
        this.#due(lateMs);
      });
    });
  }
}
