import { periodOf } from '../../core/calendar.ts';
import type { Runtime } from '../../core/ports.ts';
import type { UsageKey, UsageQueries, UsageSum } from '../../ledger/port/usage-queries.ts';
import type { DayCost } from '../port/shown/recent-history.ts';

/** A ledger is asked again after so long, in milliseconds, and after so many times as long as its answer took. */
const LEAST_PAUSE_MS = 10_000;
const PAUSE_FACTOR = 20;

/** Most targets, and most callers, that are asked for. */
const MOST_ROWS = 1_000;

/** What today (UTC) has cost, as the ledger has it: that of all gateways that share it. */
export interface LedgerDay {
  readonly targets: ReadonlyMap<string, DayCost>;
  readonly callers: ReadonlyMap<string, DayCost>;
}

/** Asks the ledger for the costs of today while somebody looks, and not so often that it would notice. */
export class LedgerCosts {
  readonly #queries: Pick<UsageQueries, 'sums'>;
  readonly #clock: Pick<Runtime, 'now' | 'wall'>;
  #known: { readonly startMs: number; readonly day: LedgerDay } | undefined;
  #isAsking = false;
  #nextAtMs = -Infinity;

  constructor(queries: Pick<UsageQueries, 'sums'>, clock: Pick<Runtime, 'now' | 'wall'>) {
    this.#queries = queries;
    this.#clock = clock;
  }

  /** Returns what the last answer was, and asks anew where that is old; undefined where nothing is known of today. */
  look(): LedgerDay | undefined {
    const { startMs, endMs } = periodOf('day', this.#clock.wall());
    if (!this.#isAsking && this.#clock.now() >= this.#nextAtMs) void this.#ask(startMs, endMs);
    return this.#known?.startMs === startMs ? this.#known.day : undefined;
  }

  async #ask(startMs: number, endMs: number): Promise<void> {
    this.#isAsking = true;
    const askedAtMs = this.#clock.now();
    const costsBy = async (key: UsageKey): Promise<ReadonlyMap<string, DayCost>> => {
      const filter = { startMs, endMs, equals: new Map() };
      return new Map((await this.#queries.sums(filter, [key], { limit: MOST_ROWS })).map(costOf));
    };
    try {
      this.#known = { startMs, day: { targets: await costsBy('target'), callers: await costsBy('caller') } };
    } catch {
      // It is gone; what this process knows by itself takes its place.
      this.#known = undefined;
    }
    const nowMs = this.#clock.now();
    this.#nextAtMs = nowMs + Math.max(LEAST_PAUSE_MS, PAUSE_FACTOR * (nowMs - askedAtMs));
    this.#isAsking = false;
  }
}

function costOf({ keys, costNanoUsd, unknownCostAttempts }: UsageSum): readonly [string, DayCost] {
  return [keys[0] ?? '', { nanoUsd: Number(costNanoUsd), unknownAttempts: unknownCostAttempts }];
}
