import { periodOf } from '../../core/calendar.ts';
import type { BudgetPeriod, CallerBudget } from '../port/caller.ts';

/**
 * What of one budget is spent and reserved, in nano-USD. What is reserved when it renews counts in the new period. Sums are kept as numbers,
 * of which a step makes nothing that must be collected: they are exact to 9 million USD, and a budget is below 1 million.
 */
export class SpentBudget {
  readonly #per: BudgetPeriod;
  #endsAtMs: number;
  #spent = 0;
  #reserved = 0;

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
    return this.#reserved !== 0;
  }

  /** What is spent in this period. */
  spent(wallMs: number): bigint {
    this.#renew(wallMs);
    return BigInt(this.#spent);
  }

  /** Says why no more than `limit` would be spent if `amount` were; undefined where it fits. */
  refuses({ nanoUsd }: CallerBudget, amount: bigint, wallMs: number): 'exhausted' | 'reserved' | undefined {
    this.#renew(wallMs);
    const most = Number(nanoUsd);
    const whole = this.#spent + Number(amount);
    if (whole > most) return 'exhausted';
    return whole + this.#reserved > most ? 'reserved' : undefined;
  }

  /** Reserves. */
  reserve(amount: bigint): void {
    this.#reserved += Number(amount);
  }

  /** Gives a reservation back and books what was spent. */
  settle(reserved: bigint, cost: bigint, wallMs: number): void {
    this.#renew(wallMs);
    this.#reserved -= Number(reserved);
    this.#spent += Number(cost);
  }

  /** Whether nothing would be lost if it were forgotten. */
  isUntouched(wallMs: number): boolean {
    this.#renew(wallMs);
    return this.#spent === 0 && this.#reserved === 0;
  }

  /** A clock that is set back does not renew it. */
  #renew(wallMs: number): void {
    if (wallMs < this.#endsAtMs) return;
    this.#endsAtMs = periodOf(this.#per, wallMs).endMs;
    this.#spent = 0;
  }
}
