import type { EventLoop } from './cohort.ts';
import type { Failure } from './failure.ts';

/** A running timer, as returned by {@link Runtime.setTimer}. */
export type TimerHandle = object | number;

/** The longest delay that Node's timers take, in milliseconds; beyond it they fire at once. */
export const MAX_TIMER_MS = 2_147_483_647;

/** Time and chance as everything but `system.ts` sees them; tests and the simulator put their own in its place. */
export interface Runtime {
  /** Returns monotonic milliseconds from an arbitrary origin. All durations and deadlines are reckoned with it. */
  now(): number;
  /** Returns milliseconds since the epoch. Only stamps records and reads HTTP dates; decides nothing else. */
  wall(): number;
  /** Calls `fire` once after `ms` milliseconds, unless cleared. */
  setTimer(ms: number, fire: () => void): TimerHandle;
  /** Stops a timer; does nothing where it has fired or was cleared. */
  clearTimer(handle: TimerHandle): void;
  /** Returns a number in [0, 1). */
  random(): number;
  /** Resolves after the event loop has looked for input once more (engine rule X2). */
  yieldIo(): Promise<void>;
}

/** The world outside the process, for everything that is handed time, chance and ids. */
export interface System extends Runtime, EventLoop {
  /** Returns a new unique id. */
  newId(): string;
  /** Returns the milliseconds of a core that the event loop has used, to a few milliseconds: other work on the machine is none of it. */
  busyMs(): number;
  /** As `setTimer`, but does not keep the process alive. */
  setIdleTimer(ms: number, fire: () => void): TimerHandle;
  /** Ends the process after `ms` milliseconds with status 1, where it has not ended by then. Does not keep it alive. */
  exitWithin(ms: number): void;
}

/** A clock and timers, for what needs neither chance nor dates. */
export type Timers = Pick<Runtime, 'now' | 'setTimer' | 'clearTimer'>;

/** Tokens of one upstream call as its provider counted them. Input includes cache reads and writes. Absent: not reported. */
export interface TokenUsage {
  readonly inputTokens?: number | undefined;
  readonly cachedInputTokens?: number | undefined;
  readonly cacheWriteTokens?: number | undefined;
  /** The part of the cache writes with the long lifetime and its own price: Anthropic's 1 h, OpenAI's 12 h. */
  readonly cacheWriteLongTokens?: number | undefined;
  readonly outputTokens?: number | undefined;
  readonly reasoningTokens?: number | undefined;
  readonly totalTokens?: number | undefined;
  /** The service tier that the provider says it served, in its words (`flex`, `priority`); Anthropic's `speed: fast` is `fast`. */
  readonly serviceTier?: string | undefined;
  /** The region that the provider says it answered in, in its words, where that has a surcharge; absent: it has none. */
  readonly region?: string | undefined;
  /** Whether something stands in place of a count that is none, or counts contradict each other: nothing made of them is exact. */
  readonly isDoubtful?: boolean | undefined;
}

/** What a provider limits, each by itself. */
export type LimitDimension = 'requests' | 'tokens' | 'input-tokens' | 'output-tokens';

/** What a provider says of one of its rate limits (engine rule L2). */
export interface LimitReading {
  readonly dimension: LimitDimension;
  /** What is allowed when nothing is used up; at least 1. */
  readonly limit: number;
  /** What is left of it; at least 0. */
  readonly remaining: number;
  /** After how many milliseconds all of it is there again; 0 where it is now. */
  readonly resetInMs: number;
}

/**
 * What an upstream call tells the engine, in the order in which it happens. `Output` and `Final` are opaque to the engine.
 * Only `output` and `terminal` are meaningful (engine rule G1). After `terminal` come at most `usage` and `end`; `end` and
 * `error` are last.
 */
export type AttemptEvent<Output, Final> =
  | {
      readonly type: 'headers';
      readonly status: number;
      readonly requestId?: string | undefined;
      /** What the provider says of its rate limits. */
      readonly limits?: readonly LimitReading[] | undefined;
    }
  /** Something came that is not part of the answer. `model` is the provider's name of the answering model. */
  | { readonly type: 'startup'; readonly bytes: number; readonly model?: string | undefined }
  | { readonly type: 'output'; readonly value: Output; readonly bytes: number }
  | { readonly type: 'usage'; readonly usage: TokenUsage }
  /** The provider's own sign that the answer is complete (engine rule X3). */
  | { readonly type: 'terminal'; readonly final: Final }
  /** The body has ended, or nothing more of it counts. */
  | { readonly type: 'end' }
  | { readonly type: 'error'; readonly failure: Failure };

/** Receives the events of one upstream call. Never called before `open` has returned, nor after `abort` or `release`. */
export type AttemptSink<Output, Final> = (event: AttemptEvent<Output, Final>) => void;

/** An upstream call under way. Every method may be called at any time, also repeatedly and after the end. */
export interface AttemptHandle {
  /** Destroys the connection in the same turn (engine rule D1). */
  abort(): void;
  /** Says that the answer is complete; the connection may be read out briefly, to be used again. */
  release(): void;
  /** Stops reading from the connection (engine rule G6). */
  pause(): void;
  /** Reads on. */
  resume(): void;
}

/** Leave for something that costs, which others must give way for first. */
export interface PendingClaim {
  /** Resolves when it is decided: undefined is leave. Never rejects. */
  readonly decided: Promise<Failure | undefined>;
  /** Waits no longer: it is decided in this turn, and what is granted later all the same goes back by itself. */
  cancel(): void;
}

/** What is said to a claim: undefined is leave. */
export type ClaimAnswer = Failure | PendingClaim | undefined;
