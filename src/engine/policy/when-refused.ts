import type { RetryConfig } from '../port/config.ts';
import { backoffMs } from './backoff.ts';

/** While circuits have been open for less than this, in milliseconds, their requests wait (engine rule K9). */
const YOUNG_MS = 60_000;
/** How long a request waits for open circuits in all, in milliseconds, and where one of them begins to answer. */
const LONGEST_WAIT_MS = 20_000;
const LONGEST_LIVELY_WAIT_MS = 30_000;
/** The least time, in milliseconds, after which a request that waits looks again. */
const LOOK_AGAIN_MS = 50;

/** An entry that nothing but its circuit keeps calls away from. */
export interface RefusedEntry {
  /** Whether the request has tried it before. */
  readonly wasTried: boolean;
  /** Whether the request and the budget of the target allow a repeat (engine rules B3 and R1). */
  readonly mayRepeat: boolean;
  /** Whether a call may go ahead of the circuit's time. */
  readonly allowsAhead: boolean;
  /** Share of successes among its verdicts of late, 0 to 1. */
  readonly successShare: number;
  /** For how long its circuit has not been closed, in milliseconds. */
  readonly openForMs: number;
  /** Whether a call that its circuit let through has begun to answer just now. */
  readonly isLively: boolean;
}

/** Where a request stands when no entry is left that could be asked or comes back by itself. */
export interface AllRefused<Entry extends RefusedEntry> {
  /** In the order of their turns. */
  readonly refused: readonly Entry[];
  /** Whether it has made no attempt yet, or none since it waited for open circuits. */
  readonly isFresh: boolean;
  /** For how long it has waited for open circuits, in milliseconds. */
  readonly waitedMs: number;
  readonly remainingMs: number;
  readonly minAttemptMs: number;
  /** Whether so many requests are under way that waiting ones would crowd others out. */
  readonly isCrowded: boolean;
}

/** What a request does that only open circuits are left for. */
export type RefusedDecision<Entry> =
  /** An entry is asked ahead of the time of its circuit. */
  | { readonly kind: 'AHEAD'; readonly entry: Entry }
  /** Everything is looked at again after a wait in milliseconds. */
  | { readonly kind: 'LOOK_AGAIN'; readonly waitMs: number }
  | { readonly kind: 'GIVE_UP' };

/** Decides whether a request that only open circuits are left for is let through, waits, or fails (engine rule K9). */
export function decideWhenRefused<Entry extends RefusedEntry>(
  situation: AllRefused<Entry>,
  config: RetryConfig,
  random: () => number,
): RefusedDecision<Entry> {
  const { refused, isFresh } = situation;
  const hasRounds = config.order !== 'EXHAUST_FIRST';
  const worthwhile = refused.filter(({ wasTried, mayRepeat }) => !wasTried || (hasRounds && mayRepeat));
  const best = leastFailing(
    worthwhile.filter(
      ({ wasTried, allowsAhead, successShare }) => allowsAhead && (isFresh || (!wasTried && successShare > 0)),
    ),
  );
  if (best !== undefined) return { kind: 'AHEAD', entry: best };
  const waitMs = hasRounds ? waitBeforeLookMs(worthwhile, situation, config, random) : undefined;
  return waitMs === undefined ? { kind: 'GIVE_UP' } : { kind: 'LOOK_AGAIN', waitMs };
}

/** Whom the request has not tried comes first, then who fails least, then who comes first. */
function leastFailing<Entry extends RefusedEntry>(entries: readonly Entry[]): Entry | undefined {
  const isBetter = (one: Entry, other: Entry): boolean =>
    one.wasTried === other.wasTried ? one.successShare > other.successShare : other.wasTried;
  return entries.reduce<Entry | undefined>(
    (best, entry) => (best === undefined || isBetter(entry, best) ? entry : best),
    undefined,
  );
}

/** Returns how long to wait before everything is looked at again; undefined where waiting is of no use, or over. */
function waitBeforeLookMs(
  worthwhile: readonly RefusedEntry[],
  { waitedMs, remainingMs, minAttemptMs, isCrowded }: Omit<AllRefused<RefusedEntry>, 'refused'>,
  config: RetryConfig,
  random: () => number,
): number | undefined {
  if (worthwhile.length === 0 || isCrowded) return undefined;
  const isLively = worthwhile.some((entry) => entry.isLively);
  const isYoung = worthwhile.some(({ openForMs }) => openForMs < YOUNG_MS);
  // Who waits already goes on.
  if (!isYoung && !isLively && waitedMs === 0) return undefined;
  const leftMs = (isLively ? LONGEST_LIVELY_WAIT_MS : LONGEST_WAIT_MS) - waitedMs;
  if (leftMs <= 0) return undefined;
  const lookMs = backoffMs(config.backoffMs[0] ?? 0, config.jitter, random);
  const waitMs = Math.min(Math.max(lookMs, LOOK_AGAIN_MS), leftMs);
  return waitMs + minAttemptMs > remainingMs ? undefined : waitMs;
}
