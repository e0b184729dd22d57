import type { Affinity } from '../../src/engine/port/affinity.ts';
import type { RetryOrder } from '../../src/engine/port/config.ts';

/** What a faulty target does with a call. */
export type FaultKind =
  | 'refused'
  | 'certificate'
  | 'stale'
  | 'reset'
  | 'overload'
  | 'rate_limit'
  | 'quota'
  | 'auth'
  | 'not_found'
  | 'conflict'
  | 'malformed'
  /** A 400 in words that nobody knows, of what others take. */
  | 'odd_refusal'
  | 'silence'
  /** Headers and a startup event, then nothing. */
  | 'headers_only'
  /** Headers and nothing else. */
  | 'head_alone'
  /** Headers and a startup event, then 90 s of nothing, then the answer. */
  | 'thinks'
  /** Nothing at all for half a minute or more, then headers, and the answer in a moment. */
  | 'late_head'
  | 'keep_alives'
  | 'startup_error'
  | 'slow_start'
  | 'cut'
  | 'cut_clean'
  | 'stall'
  | 'cut_late'
  | 'cut_clean_late'
  | 'stall_late'
  | 'malformed_later'
  | 'rate_limit_later'
  | 'late_terminal'
  | 'throws'
  /** Refuses what the gateway writes on its own, until that is known and left out. */
  | 'odd_server'
  /** Answers well, with headers that say how little is left of a limit. */
  | 'little_left';

/** When a fault shows within its window: always, in turns of so many milliseconds (on first), or by chance. */
export type FaultShape =
  | { readonly type: 'steady' }
  | { readonly type: 'flapping'; readonly everyMs: number }
  | { readonly type: 'chance'; readonly share: number };

/** A fault of one target for some time. */
export interface Fault {
  readonly id: number;
  readonly target: string;
  readonly kind: FaultKind;
  readonly fromMs: number;
  readonly toMs: number;
  readonly shape: FaultShape;
  /** The one model that it shows with. Absent: all. */
  readonly model?: string | undefined;
  /** Retry-After that goes with refusals, in milliseconds. */
  readonly hintMs?: number | undefined;
}

/** When the caller gives up. */
export type CancelPhase =
  | { readonly type: 'never' }
  | { readonly type: 'after'; readonly ms: number }
  /** In the moment of an event, or so many milliseconds behind it. */
  | {
      readonly type: 'at';
      readonly event: 'open' | 'started' | 'output' | 'failed_attempt' | 'terminal';
      readonly ms: number;
    };

/** How the caller reads its stream: at once, some pieces at a time with pauses, or never. */
export type Reading =
  | { readonly type: 'fast' }
  | { readonly type: 'slow'; readonly pieces: number; readonly pauseMs: number }
  | { readonly type: 'never' };

/** One request of a tape. */
export interface SimRequest {
  readonly id: number;
  readonly atMs: number;
  /** Whose share it is counted against. Absent: that of all who have none. */
  readonly key?: string | undefined;
  /** A model that only the caller names. Absent: that of each target. */
  readonly model?: string | undefined;
  readonly chain: readonly string[];
  /** The conversation that it goes on with, and what it wishes. Absent: none. */
  readonly affinity?: Affinity | undefined;
  readonly timeoutMs: number | undefined;
  readonly streams: boolean;
  /** A caller without a stream may be served by a plain JSON call. */
  readonly json: boolean;
  readonly cancel: CancelPhase;
  readonly reading: Reading;
  /** What is wrong with the request itself: every target says so. */
  readonly refusedAs: 'bad_request' | 'content' | 'capability' | undefined;
  /** How often the caller's own library tries again. */
  readonly clientRetries: number;
  readonly onBroken: 'FAIL' | 'RESTART';
  /** About how long its prompt is, in tokens. Absent: too short to matter. */
  readonly promptTokens?: number | undefined;
  /** It asks for reasoning: so many milliseconds lie, in silence, between the startup of an answer and its first words. Absent: none. */
  readonly thinkMs?: number | undefined;
}

/**
 * What comes of a call that may say nothing of its answer for long: a head and signs of life, no head until the first words, or, of a
 * server that somebody runs, what it sends.
 */
export type SilenceKind = 'behind_signs' | 'without_head' | 'somebodys';

/** How the engine is configured. */
export interface SimConfig {
  readonly order: RetryOrder;
  readonly jitter: 'FULL' | 'NONE';
  readonly maxRepeats: number;
  readonly guard: boolean;
  /** Places for probes of a half-open circuit. Absent: one. */
  readonly probes?: number | undefined;
  readonly maxActive: number;
  readonly maxQueued: number;
  /** How much of either one key may take alone, in percent. */
  readonly maxShare: number;
  /** Whether two targets are keys of one account. */
  readonly sharedAccount: boolean;
  /** Targets that other servers than their providers' own answer for. Absent: none. */
  readonly foreign?: readonly string[] | undefined;
  /** Targets whose models may say nothing for long. Absent: none. */
  readonly silences?: Readonly<Record<string, SilenceKind>> | undefined;
}

/** What an operator does to a target, and takes back. A reset is for once. */
export interface OperatorAct {
  readonly target: string;
  readonly does: 'OPEN' | 'CLOSED' | 'DISABLED' | 'RESET';
  readonly fromMs: number;
  readonly toMs: number;
}

/** A world: everything that a simulation does follows from it. */
export interface Tape {
  readonly seed: number;
  readonly config: SimConfig;
  readonly targets: readonly string[];
  /** Median time to the first output of each target when it is well, in milliseconds. */
  readonly paceMs: Readonly<Record<string, number>>;
  /** Medians that change in the course of time, straight from each moment to the next, in their order; they stand in place of `paceMs`. */
  readonly drifts?: Readonly<Record<string, readonly { readonly atMs: number; readonly paceMs: number }[]>> | undefined;
  /** What every token of a prompt adds to the median, in milliseconds. Absent: nothing. */
  readonly readMsPerToken?: number | undefined;
  /** How long answers are: about so many pieces, so many milliseconds apart. Absent: one to five, at once or nearly so. */
  readonly answer?: { readonly pieces: number; readonly gapMs: number } | undefined;
  readonly faults: readonly Fault[];
  readonly requests: readonly SimRequest[];
  /** Jumps of the wall clock. */
  readonly wallJumps: readonly { readonly atMs: number; readonly byMs: number }[];
  /** What operators do. */
  readonly operator?: readonly OperatorAct[];
  /** Times in which the process is held up: nothing is read and no timer fires. */
  readonly stalls?: readonly { readonly atMs: number; readonly forMs: number }[];
  /** Times in which the process says that it has too much to do. */
  readonly overloads?: readonly { readonly fromMs: number; readonly toMs: number }[];
  /** When the process begins to go down, where it does; nothing follows then. */
  readonly drainAtMs: number | undefined;
  /** From when on no fault shows. */
  readonly calmFromMs: number;
}

/** What a request is unless it is something else. */
export const PLAIN = {
  json: false,
  cancel: { type: 'never' },
  reading: { type: 'fast' },
  refusedAs: undefined,
  clientRetries: 0,
  onBroken: 'FAIL',
} as const satisfies Partial<SimRequest>;
