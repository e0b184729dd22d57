import type { Runtime, TimerHandle } from '../../../core/ports.ts';

/** The one wait of a request, which its cancellation ends at once (engine rules R5 and D1). */
export class Waiting {
  readonly #runtime: Runtime;
  #timer: TimerHandle | undefined;
  #wake: (() => void) | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Resolves after `ms` milliseconds on the runtime's clock, never earlier, or when woken. One wait at a time. */
  for(ms: number): Promise<void> {
    if (ms <= 0) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    const untilMs = this.#runtime.now() + ms;
    this.#wake = resolve;
    // A real timer may fire a moment early; a provider's Retry-After is a lower bound.
    const arm = (): void => {
      const leftMs = untilMs - this.#runtime.now();
      if (leftMs <= 0) this.wake();
      else this.#timer = this.#runtime.setTimer(leftMs, arm);
    };
    arm();
    return promise;
  }

  /** Ends the wait. */
  wake(): void {
    if (this.#timer !== undefined) this.#runtime.clearTimer(this.#timer);
    this.#timer = undefined;
    this.#wake?.();
    this.#wake = undefined;
  }
}
