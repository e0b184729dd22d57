import type { Policy } from '../rival.ts';

/** A time in which a policy held a target off: its circuit was not closed, or it cooled down. Milliseconds. */
export interface HeldOff {
  readonly target: string;
  readonly fromMs: number;
  readonly toMs: number;
}

const EVERY_MS = 1_000;

/** Watches which targets a policy holds off, to the second. */
export class HoldWatch {
  readonly #policy: Policy;
  readonly #targets: readonly string[];
  readonly #sinceMs = new Map<string, number>();
  readonly #past: HeldOff[] = [];
  #nextAtMs = 0;

  constructor(policy: Policy, targets: readonly string[]) {
    this.#policy = policy;
    this.#targets = targets;
  }

  /** Looks, if the last time is a second ago. */
  look(nowMs: number): void {
    if (nowMs < this.#nextAtMs || this.#policy.isHeldOff === undefined) return;
    this.#nextAtMs = nowMs + EVERY_MS;
    for (const target of this.#targets) {
      if (!this.#policy.isHeldOff(target)) this.#end(target, nowMs);
      else if (!this.#sinceMs.has(target)) this.#sinceMs.set(target, nowMs);
    }
  }

  /** Ends watching. Undefined where the policy holds nobody off, ever. */
  past(nowMs: number): readonly HeldOff[] | undefined {
    if (this.#policy.isHeldOff === undefined) return undefined;
    for (const target of this.#targets) this.#end(target, nowMs);
    return this.#past;
  }

  #end(target: string, toMs: number): void {
    const fromMs = this.#sinceMs.get(target);
    if (fromMs !== undefined) this.#past.push({ target, fromMs, toMs });
    this.#sinceMs.delete(target);
  }
}
