import type { ClaimAnswer } from '../../core/ports.ts';
import type { Failure, FailureReason, ReachedQuota, StatusName } from '../../core/failure.ts';
import type { AttemptHandle, AttemptSink, TokenUsage } from '../../core/ports.ts';
import type { Affinity, MovedConversation } from './affinity.ts';
import type { AttemptTiming } from './attempt-timing.ts';

/** One entry of the chain of a request: a target with the model that it is asked for. */
export interface ChainEntry {
  /** Name of the target; the key of all state but the breaker's. */
  readonly target: string;
  /** Kind of provider, for the trail. */
  readonly provider: string;
  readonly model: string;
  /**
   * Key of the target's circuit, and the model that metrics show: the model where it is configured or catalogued, otherwise
   * `other`, behind which each model has its own as far as there is room (engine rule K12).
   */
  readonly circuit: string;
  /** Whether the caller named this model and no configuration does (class C11). */
  readonly modelNamedByCaller: boolean;
  /** Most tokens of prompt and answer, where known (class C13). */
  readonly contextWindow?: number | undefined;
}

/** Tokens that a call will probably take, the answer at its longest. */
export interface TokenEstimate {
  readonly input: number;
  readonly output: number;
}

/** An attempt that can be made. */
export interface Prepared<Output, Final> {
  readonly timing: AttemptTiming;
  /** Absent: unknown. */
  readonly tokens?: TokenEstimate | undefined;
  /**
   * Asks leave for one attempt, such as of a budget, before each (class C22): a failure is of class `budget`. Absent: there is leave.
   *
   * @param remainingMs what the request has left, in milliseconds
   */
  claim?(remainingMs: number): ClaimAnswer;
  /** Gives leave back where the attempt is not made. Of one that is made, {@link Call.attemptEnded} tells. */
  giveBack?(): void;
  /** Starts the upstream call. Never calls the sink before it has returned. */
  open(sink: AttemptSink<Output, Final>): AttemptHandle;
  /**
   * Told of a failure before any output. Whether the same entry, prepared once more, is asked in another form, because the
   * provider refused what this gateway writes on its own (class C13); absent: never.
   */
  learns?(failure: Failure): boolean;
  /** Says why a complete answer is not what was asked for; absent, or undefined from it: it is. */
  judge?(final: Final): Rejection<Output, Final> | undefined;
}

/** A complete answer that is not what was asked for. */
export interface Rejection<Output, Final> {
  /** Of class `mismatch`. */
  readonly failure: Failure;
  /** Whether the answer is returned all the same where it is not mended. */
  readonly isTolerable: boolean;
  /** Absent: not wanted. */
  readonly repair?: Repair<Output, Final> | undefined;
}

/** Makes the attempt that mends an answer, on the same entry, or says why there can be none. */
export type Repair<Output, Final> = () => Prepared<Output, Final> | Failure;

/** Who answers, for the client's eyes. */
export interface Serving {
  readonly number: number;
  readonly target: string;
  readonly provider: string;
  /** The model as the provider reports it, otherwise the model asked for. */
  readonly model: string;
  /** The model that was asked for. */
  readonly requestedModel: string;
}

/** What becomes of a stream whose provider breaks off after its first words (engine rules P1 and P1a). */
export type Recovery = 'FAIL' | 'RESTART';

/** Where a streamed answer goes. Called synchronously and in order. */
export interface ClientSink<Output> {
  /** The first output is there; called once, before it. */
  started(serving: Serving): void;
  /** The first output of an answer that begins anew is there: what came since the last beginning no longer counts. */
  restarted(serving: Serving, reason: FailureReason): void;
  /** Takes a piece of the answer; false asks to stop until `whenWritable` calls back. */
  output(value: Output): boolean;
  /** Calls back once when more output is welcome. */
  whenWritable(resume: () => void): void;
  /** Keeps the connection alive (engine rule G2). */
  ping(): void;
}

/** One request to the engine. */
export interface Call<Output, Final> {
  readonly chain: readonly ChainEntry[];
  /** Absent: the chain is tried in its own order. */
  readonly affinity?: Affinity | undefined;
  /**
   * Whose share of the engine the request is counted against (engine rule A5): any text, the same for all requests of one
   * caller as far as their door can tell callers apart. Absent: that of a program that embeds the gateway.
   */
  readonly shareKey?: string | undefined;
  /** What the caller allows, in milliseconds. Absent: the engine's default. */
  readonly timeoutMs?: number | undefined;
  /** Aborts when the caller cancels or is gone. */
  readonly signal: AbortSignal;
  /** Where the answer streams to. Absent: the whole answer is in the result. */
  readonly client?: ClientSink<Output> | undefined;
  /** What becomes of a stream that breaks off. Absent: FAIL. */
  readonly recovery?: Recovery | undefined;
  /** Whether upstream calls stream. Absent: where the caller's answer does. */
  readonly upstreamStreams?: boolean | undefined;
  /**
   * Translates the request for an entry; asked only when its turn has come, and again only where {@link Prepared.learns} says so.
   * A failure skips it.
   */
  prepare(entry: ChainEntry): Prepared<Output, Final> | Failure;
  /** Hears of each attempt in the turn in which it has ended, before the next one; must not throw. */
  readonly attemptEnded?: ((record: AttemptRecord) => void) | undefined;
}

/** Why an attempt was made. */
export type AttemptKind = 'FIRST' | 'RETRY' | 'FAILOVER' | 'PROBE' | 'RESTART' | 'REPAIR' | 'SKIPPED';

/** How far an attempt came. */
export type AttemptPhase = 'CONNECTING' | 'GATED' | 'FLOWING' | 'TAIL' | 'SETTLED';

/** One entry of the trail (engine rule D4). Times are milliseconds. */
export interface AttemptRecord {
  readonly number: number;
  readonly kind: AttemptKind;
  readonly entry: ChainEntry;
  /** The model as the provider reported it. */
  readonly reportedModel?: string | undefined;
  /** Absent: success. */
  readonly failure?: Failure | undefined;
  readonly httpStatus?: number | undefined;
  readonly providerRequestId?: string | undefined;
  /** When it started, in milliseconds since the epoch. */
  readonly startedAtWallMs: number;
  readonly startedAfterMs: number;
  readonly durationMs: number;
  readonly firstOutputMs?: number | undefined;
  readonly waitBeforeMs: number;
  readonly usage?: TokenUsage | undefined;
  /** Size of the output that came, about in bytes of UTF-8. */
  readonly outputBytes: number;
  /** Pre-commit time that the attempt was given. */
  readonly sliceMs: number;
  /** Where the attempt was when it ended. */
  readonly phase: AttemptPhase;
  /** The circuit as the attempt found it: HALF_OPEN for a probe. Absent where an entry was passed over, or an operator decided. */
  readonly circuit?: { readonly state: CircuitState; readonly generation: number } | undefined;
}

/** What the caller of a failed request is told. */
export interface CallFailure {
  readonly status: StatusName;
  readonly reason: FailureReason;
  readonly message: string;
  /** After how many milliseconds another try may help. */
  readonly retryAfterMs?: number | undefined;
  readonly field?: string | undefined;
  /** Which limit or budget of the caller is reached. */
  readonly quota?: ReachedQuota | undefined;
  /** Whether anything may have reached a provider: then a client must not repeat the call by itself (engine rule R7). */
  readonly contacted: boolean;
  readonly cause?: unknown;
}

/** The trail of a request and the time that it took. */
interface CallEnding {
  /** Skips included; those that the trail has no room for are only counted. */
  readonly attempts: readonly AttemptRecord[];
  readonly skipsLeftOut: number;
  readonly elapsedMs: number;
  /** How long it waited for a slot, from its beginning. Absent: not at all. */
  readonly slotWaitMs?: number | undefined;
}

/** The end of a request that was answered. */
export interface CallSuccess<Output, Final> extends CallEnding {
  readonly ok: true;
  readonly serving: Serving;
  readonly final: Final;
  /** The outputs of the serving attempt where there was no client sink; empty otherwise. */
  readonly outputs: readonly Output[];
  readonly usage: TokenUsage | undefined;
  /** Whether the caller's deadline was longer than the engine allows. */
  readonly deadlineClamped: boolean;
  /** Whether anything but the terminal marker came. */
  readonly empty: boolean;
  /** Absent: the target is that of the last answer of the conversation, or none is known. */
  readonly movedConversation?: MovedConversation | undefined;
}

/** The end of a request that was not answered, or not to the end. */
export interface UnansweredCall extends CallEnding {
  readonly ok: false;
  readonly failure: CallFailure;
  /** How long it waited behind its last attempt, in vain. */
  readonly waitAfterMs?: number | undefined;
  /** Output that the client has got. */
  readonly usage: TokenUsage | undefined;
}

/** The end of a request. */
export type CallResult<Output, Final> = CallSuccess<Output, Final> | UnansweredCall;

/** State of a breaker as people see it. */
export type CircuitState = 'CLOSED' | 'HALF_OPEN' | 'OPEN';

/** State of one target. Times are milliseconds; absent means no data. */
export interface TargetHealth {
  readonly target: string;
  readonly provider: string;
  /** Whether it can be used: not suspended, and not without a closed circuit. A rate limit does not count. */
  readonly available: boolean;
  readonly successRate?: number | undefined;
  readonly averageLatencyMs?: number | undefined;
  readonly latencyP50Ms?: number | undefined;
  readonly latencyP95Ms?: number | undefined;
  readonly firstOutputP95Ms?: number | undefined;
  /** The worst of `circuits`. */
  readonly circuit: CircuitState;
  /** Of models that only callers name, `other` stands for those that are in its state. */
  readonly circuits: readonly {
    readonly model: string;
    /** The model that metrics show, where it is another one: `other`. */
    readonly circuit?: string | undefined;
    readonly state: CircuitState;
    readonly reopensInMs?: number | undefined;
  }[];
  readonly suspendedReason?: string | undefined;
  readonly rateLimitedForMs?: number | undefined;
  readonly inFlight: number;
  readonly requests: number;
  readonly failures: number;
  readonly tokensUsed: number;
  readonly lastError?: FailureReason | undefined;
}
