import type { Runtime, TimerHandle } from '../core/ports.ts';
import type { HttpExchange, HttpHandler } from '../core/transport.ts';
import type { Step } from './script.ts';

/** Plays steps to a handler, one after the other: never from within the call that starts it, never after `abort`. */
export class Playback implements HttpExchange {
  readonly #runtime: Runtime;
  readonly #steps: readonly Step[];
  readonly #handler: HttpHandler;
  readonly #onOver: (playback: Playback) => void;
  #next = 0;
  #state: 'running' | 'paused' | 'over' = 'running';
  #timer: TimerHandle | undefined;
  /** Whether a step's time came while the reading was paused. */
  #isDue = false;

  constructor(runtime: Runtime, steps: readonly Step[], handler: HttpHandler, onOver: (playback: Playback) => void) {
    this.#runtime = runtime;
    this.#steps = steps;
    this.#handler = handler;
    this.#onOver = onOver;
    this.#arm(steps[0]?.afterMs);
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
    this.#arm(0);
  }

  /** Ends the exchange with an error; does nothing after its end. */
  destroy(error: Error): void {
    if (this.#state === 'over') return;
    this.abort();
    this.#handler.onError(error);
  }

  #arm(afterMs: number | undefined): void {
    if (afterMs === undefined || this.#state === 'over') return;
    this.#timer = this.#runtime.setTimer(afterMs, () => this.#fire());
  }

  /** Does the step whose time has come, and those that follow without a wait. */
  #fire(): void {
    this.#timer = undefined;
    let step = this.#steps[this.#next];
    do {
      if (this.#state !== 'running' || step === undefined) {
        this.#isDue = this.#state === 'paused';
        return;
      }
      this.#next += 1;
      this.#do(step);
      step = this.#steps[this.#next];
    } while (step?.afterMs === 0);
    this.#arm(step?.afterMs);
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
