import { getEventListeners } from 'node:events';

import type { EventLog } from './event-log.ts';
import type { Run } from './facts.ts';
import type { SimRuntime } from './sim-runtime.ts';

/** Lets callers give up when their tape says so, and counts who listens for it. */
export class Cancels {
  readonly #runtime: SimRuntime;
  readonly #log: EventLog;
  readonly #signals: AbortSignal[] = [];
  readonly #cancels = new Map<Run, () => void>();

  constructor(runtime: SimRuntime, log: EventLog) {
    this.#runtime = runtime;
    this.#log = log;
  }

  /** Returns the signal of a run that begins. */
  begin(run: Run): AbortSignal {
    const controller = new AbortController();
    this.#signals.push(controller.signal);
    this.#cancels.set(run, () => {
      if (run.settledAtMs !== undefined || run.cancelledAtMs !== undefined) return;
      run.cancelledAtMs = this.#runtime.now();
      this.#log.note(`run ${run.id} cancelled`);
      controller.abort();
    });
    if (run.asked.cancel.type === 'after') this.#cancelIn(run, run.asked.cancel.ms);
    return controller.signal;
  }

  /** Forgets a run that has ended. */
  end(run: Run): void {
    this.#cancels.delete(run);
  }

  /** Notes that something has happened to a run at which its caller may give up. */
  at(run: Run, event: string): void {
    const { cancel } = run.asked;
    if (cancel.type !== 'at' || cancel.event !== event) return;
    // A caller that hears of something may be gone in the same turn; what the upstream does it cannot know so soon.
    if (cancel.ms === 0 && (event === 'started' || event === 'output')) this.#cancels.get(run)?.();
    else this.#cancelIn(run, cancel.ms);
  }

  /** Returns how many listeners there are on all signals. */
  listeners(): number {
    return this.#signals.reduce((sum, signal) => sum + getEventListeners(signal, 'abort').length, 0);
  }

  #cancelIn(run: Run, ms: number): void {
    this.#runtime.world.setTimer(ms, () => this.#cancels.get(run)?.());
  }
}
