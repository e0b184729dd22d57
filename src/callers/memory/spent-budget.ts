import { periodOf } from '../../core/calendar.ts';
import type { BudgetPeriod, CallerBudget } from '../port/caller.ts';

/** What of one budget is spent and reserved, in nano-USD. What is reserved when it renews counts in the new period. */
export class SpentBudget {
  readonly #per: BudgetPeriod;
  #endsAtMs: number;
  #spent = 0n;
  #reserved = 0n;

  /** @param wallMs milliseconds since the epoch */
  constructor(per: BudgetPeriod, wallMs: number) {
    this.#per = per;
    this.#endsAtMs = periodOf(per, wallMs).endMs;
  }

  /** When it renews, in milliseconds since the epoch. */
  get renewsAtMs(): number {
    return this.#endsAtMs;
  }

  /** Whether something is reserved. */
  get hasReservations(): boolean {
    return this.#reserved !== 0n;
  }

  /** What is spent in this period. */
  spent(wallMs: number): bigint {
    this.#renew(wallMs);
    return this.#spent;
  }

  /** Says why no more than `limit` would be spent if `amount` were; undefined where it fits. */
  refuses({ nanoUsd }: CallerBudget, amount: bigint, wallMs: number): 'exhausted' | 'reserved' | undefined {
    this.#renew(wallMs);
    const whole = this.#spent + amount;
    if (whole > nanoUsd) return 'exhausted';
    return whole + this.#reserved > nanoUsd ? 'reserved' : undefined;
  }

  /** Reserves. */
  reserve(amount: bigint): void {
    this.#reserved += amount;
  }

  /** Gives a reservation back and books what was spent. */
  settle(reserved: bigint, cost: bigint, wallMs: number): void {
    this.#renew(wallMs);
    this.#reserved -= reserved;
    this.#spent += cost;
  }

  /** Whether nothing would be lost if it were forgotten. */
  isUntouched(wallMs: number): boolean {
    this.#renew(wallMs);
    return this.#spent === 0n && this.#reserved === 0n;
  }

  /** A clock that is set back does not renew it. */
  #renew(wallMs: number): void {
    if (wallMs < this.#endsAtMs) return;
    this.#endsAtMs = periodOf(this.#per, wallMs).endMs;
    this.#spent = 0n;
  }
}
