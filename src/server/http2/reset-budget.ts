import type { Runtime } from '../../core/ports.ts';

/**
 * When Node ends a connection because of its resets: so many at once, and so many more each second. Left to itself it does so
 * after a thousand and 33 a second, which callers that leave streams reach, and calls that nobody has left end with the
 * connection. What resets cost is bounded before that, by {@link ResetBudget}.
 */
export const RESET_GUARD = { streamResetBurst: 20_000, streamResetRate: 2_000 } as const;

/** How many calls the callers of one connection may leave at once before new ones are refused. */
const BURST = 2_000;

/** How many more they may leave each second. */
const PER_SECOND = 500;

/**
 * What the calls that a connection has left before their end have cost, as a token bucket. A call that is reset has been work
 * for nothing, and makes room for the next at once, so that the limit of concurrent streams does not bound it
 * (CVE-2023-44487, "rapid reset").
 */
export class ResetBudget {
  readonly #now: Runtime['now'];
  #tokens = BURST;
  #filledAtMs: number;

  constructor(now: Runtime['now']) {
    this.#now = now;
    this.#filledAtMs = now();
  }

  /** Takes the price of a call that was left. */
  spend(): void {
    this.#fill();
    this.#tokens = Math.max(0, this.#tokens - 1);
  }

  /** Whether the connection has to wait before it may begin another call. */
  get isUsedUp(): boolean {
    if (this.#tokens >= 1) return false;
    this.#fill();
    return this.#tokens < 1;
  }

  #fill(): void {
    const nowMs = this.#now();
    this.#tokens = Math.min(BURST, this.#tokens + ((nowMs - this.#filledAtMs) / 1_000) * PER_SECOND);
    this.#filledAtMs = nowMs;
  }
}
