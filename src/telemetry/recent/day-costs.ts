import { DAY_MS } from '../../core/calendar.ts';
import type { DayCost } from '../../server/port/shown/recent-history.ts';
import type { CallCost } from '../report/call-report.ts';

const NOTHING: DayCost = { nanoUsd: 0, unknownAttempts: 0 };

/** Adds up what attempts cost on the day of UTC that is under way. Who is counted must be few. */
export class DayCosts {
  readonly #startedAtMs: number;
  readonly #costs = new Map<string, { nanoUsd: number; unknownAttempts: number }>();
  #day = 0;

  /** @param startedAtMs from when on it is counted, in milliseconds since the epoch */
  constructor(startedAtMs: number) {
    this.#startedAtMs = startedAtMs;
  }

  /** Adds the cost of an attempt. */
  add(name: string, { nanoUsd }: CallCost, wallMs: number): void {
    this.#moveTo(wallMs);
    const cost = this.#costs.get(name) ?? { ...NOTHING };
    this.#costs.set(name, cost);
    if (nanoUsd === undefined) cost.unknownAttempts++;
    else cost.nanoUsd += Number(nanoUsd);
  }

  /** Returns what somebody has cost today. */
  of(name: string, wallMs: number): DayCost {
    this.#moveTo(wallMs);
    return this.#costs.get(name) ?? NOTHING;
  }

  /** Forgets somebody. */
  delete(name: string): void {
    this.#costs.delete(name);
  }

  /** From when on the costs of today are counted. */
  sinceMs(wallMs: number): number {
    return Math.max(this.#startedAtMs, Math.floor(wallMs / DAY_MS) * DAY_MS);
  }

  #moveTo(wallMs: number): void {
    const day = Math.floor(wallMs / DAY_MS);
    if (day !== this.#day) this.#costs.clear();
    this.#day = day;
  }
}
