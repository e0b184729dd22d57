import type { Runtime } from '../../core/ports.ts';

/**
 * When Node itself ends a connection: after so many resets at once, and so many more each second; and after so many streams that
 * came while the table of streams was full of those that were reset and are not done with. Left to themselves these are 1,000, 33
 * and 100, which callers that leave streams reach, and calls that nobody has left end with the connection. What resets cost is
 * bounded before that, by {@link ResetBudget}.
 */
export const RESET_GUARD = {
  streamResetBurst: 20_000,
  streamResetRate: 2_000,
  maxSessionRejectedStreams: 10_000,
} as const;

/** How many calls the callers of one connection may leave at once before new ones are refused. */
const BURST = 2_000;

/** How many more they may leave each second. */
const PER_SECOND = 500;

/** How many calls are refused in a row before the connection is no caller's any more. */
const MOST_REFUSED = 2_000;

/** What becomes of a new stream, and of its connection. */
export type StreamVerdict = 'ADMIT' | 'REFUSE' | 'END_CONNECTION';

/**
 * What the calls that a connection has left before their end have cost, as a token bucket. A call that is reset has been work
 * for nothing, and makes room for the next at once, so that the limit of concurrent streams does not bound it
 * (CVE-2023-44487, "rapid reset").
 */
export class ResetBudget {
  readonly #now: Runtime['now'];
  #tokens = BURST;
  #filledAtMs: number;
  #refused = 0;

  constructor(now: Runtime['now']) {
    this.#now = now;
    this.#filledAtMs = now();
  }

  /** Takes the price of a call that was left. */
  spend(): void {
    this.#fill();
    this.#tokens = Math.max(0, this.#tokens - 1);
  }

  /** Says what becomes of a new stream. */
  ask(): StreamVerdict {
    if (this.#tokens < 1) {
      this.#fill();
      if (this.#tokens < 1) {
        this.#refused += 1;
        return this.#refused > MOST_REFUSED ? 'END_CONNECTION' : 'REFUSE';
      }
      this.#refused = 0;
    }
    return 'ADMIT';
  }

  #fill(): void {
    const nowMs = this.#now();
    this.#tokens = Math.min(BURST, this.#tokens + ((nowMs - this.#filledAtMs) / 1_000) * PER_SECOND);
    this.#filledAtMs = nowMs;
  }
}
