import type { Timers } from '../../../core/ports.ts';
import type { ChainEntry } from '../../port/call.ts';
import type { TargetState } from '../state.ts';
import type { FreeCheck, Watch } from './free-check.ts';
import { askForFree } from './free-check.ts';

/** A target is asked once in so many milliseconds at most. */
const EVERY_MS = 5_000;

/**
 * Looks after targets whose circuits are open, off the way of any request (engine rule K8): when a circuit has refused somebody, a
 * free call finds out whether a probe is worth it before its pause is over. Driven by demand: where nobody asks there is no call
 * and no timer. Closes no circuit and opens none.
 */
export class CircuitChecks {
  readonly #timers: Timers;
  readonly #check: FreeCheck;
  readonly #changed: (target: string) => void;
  readonly #watches = new Map<string, Watch>();
  readonly #askedAtMs = new Map<string, number>();
  #isClosed = false;

  /** @param changed told when a probe may go earlier */
  constructor(timers: Timers, check: FreeCheck, changed: (target: string) => void) {
    this.#timers = timers;
    this.#check = check;
    this.#changed = changed;
  }

  /** Notes that the circuit of an entry, or its operator, has refused somebody; cheap enough for every refusal. */
  refused(state: TargetState, { circuit, model }: ChainEntry): void {
    const target = state.target.name;
    if (this.#isClosed || this.#watches.has(target)) return;
    // Where an operator has a say it is not for us to ask, and a probe under way knows better.
    if (state.operator.of(circuit, model) !== 'AUTOMATIC') return;
    if (state.circuits.peek({ circuit, model })?.breaker.state !== 'OPEN') return;
    const now = this.#timers.now();
    if (now - (this.#askedAtMs.get(target) ?? Number.NEGATIVE_INFINITY) < EVERY_MS) return;
    if (!this.#check.covers(target, 'CIRCUIT_OPEN')) return;
    this.#askedAtMs.set(target, now);
    const watch = askForFree(this.#timers, this.#check, target, (usability) => {
      this.#watches.delete(target);
      if (state.circuits.checked(usability !== 'down')) this.#changed(target);
    });
    this.#watches.set(target, watch);
  }

  /** Ends what goes on for a target that is another one now, or is no more. */
  forget(target: string): void {
    this.#watches.get(target)?.stop();
    this.#watches.delete(target);
  }

  /** Ends what is under way, and begins nothing more. */
  close(): void {
    this.#isClosed = true;
    for (const watch of this.#watches.values()) watch.stop();
    this.#watches.clear();
  }
}
