import type { OutageSnapshot } from '../port/circuit-snapshot.ts';
import type { SettleInfo } from '../port/permit.ts';
import { RetryBudget } from './retry-budget.ts';
import type { BudgetRates } from './retry-budget.ts';

/** The first pause of an open circuit, in milliseconds; it doubles with each probe that fails, up to the longest (engine rule K3). */
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 20_000;
/** Longest time that a provider's Retry-After keeps a circuit open, in milliseconds (engine rule K3). */
const MAX_HOLD_MS = 3_600_000;
/** For so many milliseconds behind its first output a call that was let through is a sign of life (engine rule K9). */
const LIVELY_MS = 5_000;
/** For calls ahead of their time: a unit is one call, and each that succeeds brings two (engine rule K9). */
const AHEAD_RATES: BudgetRates = { capacity: 5, perVisit: 2, perSecond: 0.1 };

/**
 * What a circuit that is not closed knows of the outage behind it, from its first opening until it closes: for how long it refuses
 * (engine rule K3), what free calls have found (K8), and how many calls may go ahead of their time (K9).
 */
export class Outage {
  readonly #now: () => number;
  readonly #ahead: RetryBudget;
  #beganAtMs = Number.NEGATIVE_INFINITY;
  #openings = 0;
  #reopensAtMs = Number.NEGATIVE_INFINITY;
  #heldUntilMs = Number.NEGATIVE_INFINITY;
  #singleUntilMs = Number.NEGATIVE_INFINITY;
  #isDown = false;
  #livelyUntilMs = Number.NEGATIVE_INFINITY;

  /** @param now monotonic milliseconds */
  constructor(now: () => number) {
    this.#now = now;
    this.#ahead = new RetryBudget(now, AHEAD_RATES);
  }

  /** After how many milliseconds the next probe may go; 0: now. */
  get reopensInMs(): number {
    return Math.max(0, this.#reopensAtMs - this.#now());
  }

  /** Until when one probe at a time goes through, however many places there are (engine rule K4). */
  get singleUntilMs(): number {
    return this.#singleUntilMs;
  }

  /** Whether one more call may go ahead of its time; never while the provider itself wants to be left alone. */
  get allowsAhead(): boolean {
    return this.#now() >= this.#heldUntilMs && !this.#ahead.isEmpty;
  }

  /** How long it has lasted, in milliseconds. */
  get ageMs(): number {
    return this.#now() - this.#beganAtMs;
  }

  /** Whether a call that was let through has begun to answer just now. */
  get isLively(): boolean {
    return this.#now() < this.#livelyUntilMs;
  }

  /**
   * Notes that the circuit opens.
   * @param cooldownMs for how long it refuses at the most, unless its provider wishes for more
   * @param info of the failure that opens it: whether it was silence, which no probe goes early for, and its provider's wish
   */
  open(cooldownMs: number, { retryAfterMs = 0, wasSilent = false }: SettleInfo = {}): void {
    const now = this.#now();
    if (this.#openings === 0) this.#beganAtMs = now;
    const earlyMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#openings, LONGEST_PAUSE_MS);
    const pauseMs = wasSilent ? cooldownMs : Math.min(cooldownMs, earlyMs);
    this.#openings++;
    this.#heldUntilMs = now + Math.min(retryAfterMs, MAX_HOLD_MS);
    this.#reopensAtMs = Math.max(now + pauseMs, this.#heldUntilMs);
    this.#singleUntilMs = now + cooldownMs;
  }

  /**
   * Notes what a free call has found. Where the target does not answer no probe goes before the cooldown is over. Where it does,
   * and did not when it was asked before, in this outage, the next probe goes at once, but not earlier than the provider wishes: true.
   * One that always answers knows nothing of completions (engine rule K8).
   */
  found(answers: boolean): boolean {
    const isBack = answers && this.#isDown;
    this.#isDown = !answers;
    if (!answers) this.#reopensAtMs = Math.max(this.#reopensAtMs, this.#singleUntilMs);
    if (isBack) this.#reopensAtMs = Math.min(this.#reopensAtMs, Math.max(this.#heldUntilMs, this.#now()));
    return isBack;
  }

  /** Notes a call ahead of its time. */
  wentAhead(): void {
    this.#ahead.take();
  }

  /** Notes that a call that was let through has begun to answer. */
  answers(): void {
    this.#livelyUntilMs = this.#now() + LIVELY_MS;
  }

  /** Notes that a call that was let through has succeeded. */
  succeeded(): void {
    this.#ahead.visited();
  }

  /** Notes that the circuit closes: the next opening begins anew. What is left for calls ahead of their time stays. */
  end(): void {
    this.#openings = 0;
    this.#isDown = false;
    this.#livelyUntilMs = Number.NEGATIVE_INFINITY;
  }

  /** Returns what is known. */
  snapshot(): OutageSnapshot {
    const now = this.#now();
    const isOver = this.#openings === 0;
    return {
      ageMs: isOver ? 0 : this.ageMs,
      openings: this.#openings,
      heldForMs: isOver ? 0 : Math.max(0, this.#heldUntilMs - now),
      singleForMs: isOver ? 0 : Math.max(0, this.#singleUntilMs - now),
      isDown: this.#isDown,
      ahead: this.#ahead.units,
    };
  }

  /** Goes on from what another circuit knew, which refused for `reopensInMs` milliseconds more. */
  restore(reopensInMs: number, known: OutageSnapshot | undefined): void {
    const now = this.#now();
    const { ageMs = 0, openings = 1, heldForMs = reopensInMs, singleForMs = reopensInMs } = known ?? {};
    this.#beganAtMs = now - ageMs;
    this.#openings = openings;
    this.#reopensAtMs = now + reopensInMs;
    this.#heldUntilMs = now + heldForMs;
    this.#singleUntilMs = now + singleForMs;
    this.#isDown = known?.isDown ?? false;
    if (known !== undefined) this.#ahead.units = known.ahead;
  }
}
