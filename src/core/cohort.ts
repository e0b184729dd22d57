/** The event loop, as far as cohorts need it. */
export interface EventLoop {
  /** Calls back in this turn of the event loop, when all input that is there was read. */
  afterInput(run: () => void): void;
}

/** Most steps between which promises have no turn: what so many calls have in hand fits into the caches of a core. */
const MOST = 16;

/**
 * Takes the steps of calls that arrive together, one kind after the other instead of one call after the other (cohort scheduling:
 * Larus and Parkes, USENIX 2002). The code that one call runs through is larger than the caches of a core; run through by many in
 * turn it is loaded once for all of them (`docs/adr/0007-calls-that-arrive-together-are-served-together.md`).
 */
export class Cohort {
  readonly #loop: EventLoop;
  readonly #waiting: (() => void)[] = [];
  /** Where steps go that are added by a step. */
  #following: (() => void)[] | undefined;

  constructor(loop: EventLoop) {
    this.#loop = loop;
  }

  /**
   * Takes a step after the input of this turn; one that a step adds, after its neighbours. What a step throws is a fault that
   * nobody has caught, and spoils no other step.
   */
  add(step: () => void): void {
    if (this.#following !== undefined) {
      this.#following.push(step);
      return;
    }
    this.#waiting.push(step);
    if (this.#waiting.length % MOST === 1) this.#loop.afterInput(() => this.#take());
  }

  #take(): void {
    let steps = this.#waiting.splice(0, MOST);
    while (steps.length > 0) {
      this.#following = [];
      for (const step of steps) {
        try {
          step();
        } catch (error) {
          queueMicrotask(() => {
            throw error;
          });
        }
      }
      steps = this.#following;
    }
    this.#following = undefined;
  }
}

/** Awaited between two kinds of work, so that the other calls of a cohort catch up before any goes on. */
export const OTHERS_CATCH_UP: Promise<void> = Promise.resolve();
