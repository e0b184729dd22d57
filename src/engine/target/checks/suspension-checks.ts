import type { Timers } from '../../../core/ports.ts';
import type { Refusal } from '../cooldown.ts';
import type { TargetState } from '../state.ts';
import type { FreeCheck, Usability, Watch } from './free-check.ts';
import { ANSWER_MS, askForFree } from './free-check.ts';

/** A target is asked once in so many milliseconds at most. */
const EVERY_MS = 60_000;

/**
 * Looks after suspended targets, off the way of any request (engine rule K8): a free call shortly before a suspension would end,
 * and then once a minute, decides whether the target may be tried again. Usable ends the suspension, unusable prolongs it, so
 * that no request is spent on finding out; where nothing is learnt it ends by itself. Circuits are never touched.
 */
export class SuspensionChecks {
  readonly #runtime: Timers;
  readonly #check: FreeCheck;
  readonly #changed: (target: string) => void;
  readonly #watches = new Map<string, Watch>();
  readonly #askedAtMs = new Map<string, number>();
  #isClosed = false;

  /** @param changed told when a target is suspended no more, or for longer */
  constructor(runtime: Timers, check: FreeCheck, changed: (target: string) => void) {
    this.#runtime = runtime;
    this.#check = check;
    this.#changed = changed;
  }

  /** Looks whether a target has been suspended; cheap enough for the end of every attempt. */
  look(state: TargetState): void {
    const target = state.target.name;
    if (this.#isClosed || this.#watches.has(target)) return;
    const suspension = this.#covered(state);
    if (suspension === undefined) return;
    const sinceMs = this.#runtime.now() - (this.#askedAtMs.get(target) ?? Number.NEGATIVE_INFINITY);
    const waitMs = Math.max(EVERY_MS - sinceMs, Math.min(EVERY_MS, suspension.forMs) - ANSWER_MS, 0);
    // Too late to be of use: the next request tries.
    if (waitMs >= suspension.forMs) return;
    const timer = this.#runtime.setTimer(waitMs, () => {
      this.#watches.delete(target);
      this.#ask(state);
    });
    this.#watches.set(target, { stop: () => this.#runtime.clearTimer(timer) });
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

  /** Returns why a target is out of use where a free call can tell whether that has ended. */
  #covered({ cooldown, target }: TargetState): Refusal | undefined {
    const suspension = cooldown.suspension();
    return suspension !== undefined && this.#check.covers(target.name, suspension.reason) ? suspension : undefined;
  }

  #ask(state: TargetState): void {
    const target = state.target.name;
    // An operator may have reset it meanwhile, or another reason may have taken it out of use.
    if (this.#isClosed || this.#covered(state) === undefined) return;
    this.#askedAtMs.set(target, this.#runtime.now());
    const watch = askForFree(this.#runtime, this.#check, target, (usability) => {
      this.#watches.delete(target);
      this.#conclude(state, usability);
    });
    this.#watches.set(target, watch);
  }

  #conclude(state: TargetState, usability: Usability): void {
    const suspension = this.#covered(state);
    if (suspension === undefined) return;
    if (usability === 'usable') state.cooldown.lift();
    else if (usability === 'unusable') state.cooldown.suspend(suspension.reason, EVERY_MS + ANSWER_MS);
    if (usability === 'usable' || usability === 'unusable') this.#changed(state.target.name);
    this.look(state);
  }
}
