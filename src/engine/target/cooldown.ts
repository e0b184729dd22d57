import type { FailureReason } from '../../core/failure.ts';

/** Jitter on top of a cooldown: at most this share of it, and at most so many milliseconds (engine rule R4). */
const JITTER_SHARE = 0.1;
const MAX_JITTER_MS = 1_000;

/** Why and for how long no call may go to a target. */
export interface Refusal {
  readonly reason: FailureReason;
  readonly forMs: number;
}

interface Suspension {
  readonly reason: FailureReason;
  readonly untilMs: number;
  /** Until when the provider itself has said so. */
  readonly statedUntilMs: number;
}

/**
 * Rate limits and suspensions of one account: a target, or all targets of one `limit_group` (engine, "State machines").
 * A time that has been set is only ever moved later, but for a suspension that a check has found to be over.
 */
export class Cooldown {
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #models = new Map<string, Suspension>();
  #coolUntilMs = Number.NEGATIVE_INFINITY;
  #suspension: Suspension | undefined;

  constructor(now: () => number, random: () => number) {
    this.#now = now;
    this.#random = random;
  }

  /** Holds all calls back for at least `ms` milliseconds. */
  cool(ms: number): void {
    const jitterMs = Math.min(ms * JITTER_SHARE, MAX_JITTER_MS) * this.#random();
    this.#coolUntilMs = Math.max(this.#coolUntilMs, this.#now() + ms + jitterMs);
  }

  /** Takes the account out of use for `ms` milliseconds; `statedMs` of them because the provider has said so. */
  suspend(reason: FailureReason, ms: number, statedMs = 0): void {
    const now = this.#now();
    const untilMs = now + Math.max(ms, statedMs);
    const statedUntilMs = Math.max(now + statedMs, this.#suspension?.statedUntilMs ?? Number.NEGATIVE_INFINITY);
    if (untilMs > (this.#suspension?.untilMs ?? Number.NEGATIVE_INFINITY)) {
      this.#suspension = { reason, untilMs, statedUntilMs };
    }
  }

  /** Lets the account be used again, but not earlier than its provider has said (engine rule K8). */
  lift(): void {
    if (this.#suspension === undefined) return;
    const { reason, statedUntilMs } = this.#suspension;
    this.#suspension = { reason, untilMs: statedUntilMs, statedUntilMs };
  }

  /** Takes one model of the account out of use for `ms` milliseconds. */
  suspendModel(model: string, reason: FailureReason, ms: number): void {
    const untilMs = this.#now() + ms;
    this.#models.set(model, { reason, untilMs, statedUntilMs: untilMs });
  }

  /** Forgets all rate limits and suspensions. */
  clear(): void {
    this.#coolUntilMs = Number.NEGATIVE_INFINITY;
    this.#suspension = undefined;
    this.#models.clear();
  }

  /** Returns for how many milliseconds the rate limit still holds; 0 where it does not. */
  coolsForMs(): number {
    return Math.max(0, this.#coolUntilMs - this.#now());
  }

  /** Returns why the account, or a model of it where one is given, is out of use; undefined where it is not. */
  suspension(model?: string): Refusal | undefined {
    return (
      this.#current(this.#suspension) ?? (model === undefined ? undefined : this.#current(this.#models.get(model)))
    );
  }

  /** Returns why any model is out of use; undefined where none is. */
  suspensionOfAnyModel(): Refusal | undefined {
    for (const suspension of this.#models.values()) {
      const current = this.#current(suspension);
      if (current !== undefined) return current;
    }
    return undefined;
  }

  /** Returns why no call for a model may be made now; undefined where one may. */
  refusal(model: string): Refusal | undefined {
    const suspension = this.suspension(model);
    if (suspension !== undefined) return suspension;
    const forMs = this.coolsForMs();
    return forMs > 0 ? { reason: 'PROVIDER_RATE_LIMITED', forMs } : undefined;
  }

  #current(suspension: Suspension | undefined): Refusal | undefined {
    if (suspension === undefined) return undefined;
    const forMs = suspension.untilMs - this.#now();
    return forMs > 0 ? { reason: suspension.reason, forMs } : undefined;
  }
}
