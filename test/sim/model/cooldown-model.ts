import type { Failure, FailureReason } from '../../../src/core/failure.ts';
import type { LimitReading } from '../../../src/core/ports.ts';
import { rowOf } from './class-table.ts';
import { PacingModel } from './pacing-model.ts';

/** A time in which calls are held back: until `leastMs` for certain, until `mostMs` perhaps (a cooldown has jitter). */
interface Hold {
  readonly reason: FailureReason;
  /** The one model that is held back; undefined for all. */
  readonly model: string | undefined;
  readonly fromMs: number;
  readonly leastMs: number;
  readonly mostMs: number;
}

const UNNAMED_COOLDOWN_MS = 1_000;

/** What holds calls of one account back, written from the rules alone (R4, C7 to C11, L2): a list of all that ever was. */
export class CooldownModel {
  #holds: Hold[] = [];
  readonly #past: Hold[] = [];
  readonly #paces = new Map<string, PacingModel>();

  /** Takes a failure in, as the provider sent it. */
  failed(failure: Failure, model: string, nowMs: number): void {
    const { comesBack, suspendMs } = rowOf(failure.class);
    const { retryAfterMs, reason } = failure;
    if (failure.class === 'not_found') this.#hold(reason, nowMs, suspendMs ?? 0, 0, model);
    else if (suspendMs !== undefined) this.#hold(reason, nowMs, Math.max(suspendMs, retryAfterMs ?? 0), 0);
    else if (failure.class === 'rate_limit') this.#cool(nowMs, retryAfterMs ?? UNNAMED_COOLDOWN_MS);
    else if (retryAfterMs !== undefined && comesBack) this.#cool(nowMs, retryAfterMs);
  }

  /** Until when calls for a model are held back for certain. */
  heldUntilMs(model: string): number {
    return Math.max(this.#pace(model).heldUntilMs, ...this.#of(model).map(({ leastMs }) => leastMs));
  }

  /** Until when calls for a model may be held back. */
  mayHoldUntilMs(model: string): number {
    return Math.max(this.#pace(model).mayHoldUntilMs, ...this.#of(model).map(({ mostMs }) => mostMs));
  }

  /** Whether a refusal for a reason has a reason at a moment. */
  explains(reason: FailureReason, model: string, atMs: number): boolean {
    const isHeld = [...this.#past, ...this.#of(model)].some(
      (hold) =>
        hold.reason === reason &&
        (hold.model === undefined || hold.model === model) &&
        hold.fromMs <= atMs + 0.001 &&
        atMs < hold.mostMs + 0.001,
    );
    return isHeld || (reason === 'PROVIDER_RATE_LIMITED' && this.#pace(model).explains(atMs));
  }

  /** Takes in what headers say. */
  read(readings: readonly LimitReading[], model: string, nowMs: number): void {
    for (const reading of readings) if (reading.dimension === 'requests') this.#pace(model).read(reading, nowMs);
  }

  /** Takes in that a call was sent. */
  sent(model: string, nowMs: number): void {
    this.#pace(model).sent(nowMs);
  }

  /** Forgets what holds calls back. */
  clear(nowMs: number): void {
    this.#past.push(...this.#holds.map((hold) => ({ ...hold, mostMs: Math.min(hold.mostMs, nowMs) })));
    this.#holds = [];
    for (const pace of this.#paces.values()) pace.clear(nowMs);
  }

  #pace(model: string): PacingModel {
    const pace = this.#paces.get(model) ?? new PacingModel();
    this.#paces.set(model, pace);
    return pace;
  }

  #of(model: string): Hold[] {
    return this.#holds.filter((hold) => hold.model === undefined || hold.model === model);
  }

  #cool(nowMs: number, forMs: number): void {
    this.#hold('PROVIDER_RATE_LIMITED', nowMs, forMs, Math.min(forMs / 10, 1_000));
  }

  #hold(reason: FailureReason, nowMs: number, forMs: number, jitterMs: number, model?: string): void {
    this.#holds.push({ reason, model, fromMs: nowMs, leastMs: nowMs + forMs, mostMs: nowMs + forMs + jitterMs });
  }
}
