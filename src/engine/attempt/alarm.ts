import type { Runtime, TimerHandle } from '../../core/ports.ts';

/** A timer that fires later than this, in milliseconds, says that this process was held up. */
const LATE_MS = 100;

/**
 * A timer that may blame somebody. Where it fires late, the event loop is let through once before it counts: what has come
 * meanwhile and was not read yet may clear or move it (engine rule X2).
 */
export class Alarm {
  readonly #runtime: Runtime;
  #timer: TimerHandle | undefined;
  /** Counts settings and clearings, so that a late alarm knows whether it still stands. */
  #turn = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /**
   * Calls `fire` once after `ms` milliseconds, in place of what was set before.
   * @param fire is told how late it is, in milliseconds
   */
  set(ms: number, fire: (lateMs: number) => void): void {
    this.clear();
    const turn = this.#turn;
    const dueAtMs = this.#runtime.now() + Math.max(0, ms);
    this.#timer = this.#runtime.setTimer(Math.max(0, ms), () => {
      this.#timer = undefined;
      const lateMs = Math.max(0, this.#runtime.now() - dueAtMs);
      if (lateMs <= LATE_MS) {
        fire(lateMs);
        return;
      }
      void this.#runtime.yieldIo().then(() => {
        if (turn === this.#turn) fire(this.#runtime.now() - dueAtMs);
      });
    });
  }

  /** Stops it. */
  clear(): void {
    this.#turn++;
    if (this.#timer !== undefined) this.#runtime.clearTimer(this.#timer);
    this.#timer = undefined;
  }
}
