import type { Runtime, TimerHandle } from '../core/ports.ts';
import type { HttpExchange, HttpHandler } from '../core/transport.ts';
import type { Step } from './script.ts';

/**
 * Plays steps to a handler, one after the other: never from within the call that starts it, never after `abort`. As with a provider,
 * which knows nothing of the load here, the steps after a late one are not late for it: what is due by then comes with it.
 */
export class Playback implements HttpExchange {
  readonly #runtime: Runtime;
  readonly #steps: readonly Step[];
  readonly #handler: HttpHandler;
  readonly #onOver: (playback: Playback) => void;
  #next = 0;
  #state: 'running' | 'paused' | 'over' = 'running';
  #timer: TimerHandle | undefined;
  /** When the next step is due. */
  #dueAtMs: number;
  /** Whether a step's time came while the reading was paused. */
  #isDue = false;

  constructor(runtime: Runtime, steps: readonly Step[], handler: HttpHandler, onOver: (playback: Playback) => void) {
    this.#runtime = runtime;
    this.#steps = steps;
    this.#handler = handler;
    this.#onOver = onOver;
    this.#dueAtMs = runtime.now() + (steps[0]?.afterMs ?? 0);
    this.#arm(steps[0]);
  }

  abort(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    if (this.#timer !== undefined) this.#runtime.clearTimer(this.#timer);
    this.#timer = undefined;
    this.#onOver(this);
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    if (!this.#isDue) return;
    this.#isDue = false;
    // What was held up is not made up for: its reader asked for that.
    this.#dueAtMs = this.#runtime.now();
    this.#arm(this.#steps[this.#next]);
  }

  /** Ends the exchange with an error; does nothing after its end. */
  destroy(error: Error): void {
    if (this.#state === 'over') return;
    this.abort();
    this.#handler.onError(error);
  }

  #arm(step: Step | undefined): void {
    if (step === undefined || this.#state === 'over') return;
    const leftMs = Math.max(0, this.#dueAtMs - this.#runtime.now());
    this.#timer = this.#runtime.setTimer(leftMs, () => this.#fire());
  }

  /** Does the step whose time has come, and those after it whose time has come as well. */
  #fire(): void {
    this.#timer = undefined;
    const nowMs = this.#runtime.now();
    let step = this.#steps[this.#next];
    do {
      if (this.#state !== 'running' || step === undefined) {
        this.#isDue = this.#state === 'paused';
        return;
      }
      this.#next += 1;
      this.#do(step);
      step = this.#steps[this.#next];
      this.#dueAtMs += step?.afterMs ?? 0;
    } while (this.#dueAtMs <= nowMs);
    this.#arm(step);
  }

  #do(step: Step): void {
    switch (step.act) {
      case 'headers':
        return this.#handler.onHeaders(step.status, step.headers);
      case 'data':
        return this.#handler.onData(step.bytes);
      case 'end':
        this.abort();
        return this.#handler.onEnd();
      case 'error':
        return this.destroy(step.error);
    }
  }
}
