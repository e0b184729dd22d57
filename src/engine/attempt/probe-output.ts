import type { Runtime, TimerHandle } from '../../core/ports.ts';
import type { AttemptOutput } from './output.ts';
import type { AttemptTiming } from '../port/attempt-timing.ts';
import type { EngineConfig } from '../port/config.ts';

/** A probe that has answered for so long without a fault closes its circuit (engine rule K6). */
const STEADY_MS = 5_000;
/** Added to the limits of a probe before it counts as lost (engine rule K7). */
const LEASE_SLACK_MS = 10_000;

/** Returns after how many milliseconds a probe that has not settled counts as lost (engine rule K7). */
export function leaseMs(firstOutputMs: number, timing: AttemptTiming, config: EngineConfig): number {
  return firstOutputMs + timing.progressMs + config.clientStallMs + LEASE_SLACK_MS;
}

/**
 * The output of a probe on its way to where it goes, watched for five seconds from the first on; time in which the caller
 * does not read is left out (engine rule K6).
 */
export class ProbeOutput<Output> implements AttemptOutput<Output> {
  readonly #runtime: Runtime;
  readonly #output: AttemptOutput<Output>;
  readonly #began: () => void;
  readonly #steady: () => void;
  #timer: TimerHandle | undefined;
  #flowsSinceMs = 0;
  #leftMs = STEADY_MS;
  #isDone = false;

  /**
   * @param began called once, with its first output
   * @param steady called once, when the probe has been answering for long enough
   */
  constructor(runtime: Runtime, output: AttemptOutput<Output>, began: () => void, steady: () => void) {
    this.#runtime = runtime;
    this.#output = output;
    this.#began = began;
    this.#steady = steady;
  }

  commit(): void {
    this.#began();
    this.#watch();
    this.#output.commit();
  }

  deliver(value: Output): boolean {
    const wantsMore = this.#output.deliver(value);
    if (!wantsMore) this.#hold();
    return wantsMore;
  }

  whenWritable(resume: () => void): void {
    this.#output.whenWritable(() => {
      this.#watch();
      resume();
    });
  }

  /** Stops watching; the probe has ended. */
  stop(): void {
    this.#hold();
    this.#isDone = true;
  }

  #watch(): void {
    if (this.#timer !== undefined || this.#isDone) return;
    this.#flowsSinceMs = this.#runtime.now();
    this.#timer = this.#runtime.setTimer(this.#leftMs, () => {
      this.#timer = undefined;
      this.#isDone = true;
      this.#steady();
    });
  }

  #hold(): void {
    if (this.#timer === undefined) return;
    this.#runtime.clearTimer(this.#timer);
    this.#timer = undefined;
    this.#leftMs -= this.#runtime.now() - this.#flowsSinceMs;
  }
}
