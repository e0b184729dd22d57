import type { PendingClaim } from '../../core/ports.ts';
import type { Failure } from '../../core/failure.ts';
import type { Runtime } from '../../core/ports.ts';
import type { Attempt } from '../attempt/attempt.ts';
import { ClientStream } from '../attempt/client-stream.ts';
import { Delivery } from '../attempt/delivery.ts';
import type { Beginning } from '../policy/decision.ts';
import type { Call, CallResult, CallSuccess, ChainEntry, Recovery } from '../port/call.ts';
import type { EngineObserver } from '../port/observer.ts';
import type { EngineConfig } from '../port/config.ts';
import { shuttingDown } from '../port/failures.ts';
import type { TargetState } from '../target/state.ts';
import type { AdmissionQueue } from './slots/admission-queue.ts';
import { Allowance } from './allowance.ts';
import { Chain } from './chain.ts';
import type { Drain } from './drain.ts';
import { finalFailure } from './final-failure.ts';
import { RequestTime } from './time/deadline.ts';
import { Trail, wasContacted } from './trail.ts';
import { Waiting } from './time/waiting.ts';

/** What a request shares with all others. */
export interface RequestContext {
  readonly config: EngineConfig;
  readonly runtime: Runtime;
  readonly observer: EngineObserver;
  readonly stateOf: (entry: ChainEntry) => TargetState;
  /** Told when the open circuit of an entry has refused a call (engine rule K8). */
  readonly refusedByCircuit: (entry: ChainEntry) => void;
  readonly admission: AdmissionQueue;
  readonly drain: Drain;
}

/** One request: its time, its chain, its trail, and what has become of it so far. It decides nothing and makes no attempt. */
export class Request<Output, Final> {
  readonly context: RequestContext;
  readonly time: RequestTime;
  readonly chain: Chain<Output, Final>;
  readonly trail: Trail;
  readonly allowance: Allowance;
  readonly delivery: Delivery<Output>;
  /** What the caller of a stream wants done when it breaks off; undefined for other calls. */
  readonly recovery: Recovery | undefined;
  /** Tells of an attempt that has ended. */
  readonly attemptEnded: Call<Output, Final>['attemptEnded'];
  readonly #waiting: Waiting;
  readonly #client: ClientStream<Output> | undefined;
  /** The attempt under way. */
  #current: Attempt<Output, Final> | undefined;
  /** What the next attempt waits for leave of. */
  #claim: PendingClaim | undefined;
  /** Time spent waiting since the last attempt, in milliseconds. */
  #waitedMs = 0;
  /** What ends the request whatever targets are left. */
  #decisive: Failure | undefined;
  /** Whether nothing more may be tried, although nothing decisive has happened. */
  #hasGivenUp = false;
  /** Whether a target was passed over because the deadline was too near. */
  #lackedTime = false;
  /** Whether an answer was thrown away unseen: then the next one must have the time that it needs (engine rule U3). */
  #startsAfresh = false;
  /** What broke the answer of which the caller has got some, while another is to take its place. */
  #interruption: Failure | undefined;
  /** How the last of the answers failed that had begun. */
  #begunFailure: Failure | undefined;
  #tolerable: CallSuccess<Output, Final> | undefined;

  constructor(call: Call<Output, Final>, context: RequestContext) {
    const { config, runtime } = context;
    this.context = context;
    this.time = new RequestTime(runtime, call.timeoutMs, config);
    this.chain = new Chain(call, context.stateOf);
    this.trail = new Trail(this.time.startedAtMs);
    this.allowance = new Allowance(config.retry, context.stateOf, context.drain);
    this.recovery = call.client && (call.recovery ?? 'FAIL');
    this.attemptEnded = call.attemptEnded && ((record) => call.attemptEnded?.(record));
    this.#waiting = new Waiting(runtime);
    this.#client = call.client && new ClientStream(runtime, call.client, () => this.#mayPing());
    this.delivery = new Delivery(this.#client);
  }

  /** Ends the request: aborts the attempt under way in the same turn, or the wait (engine rule D1). */
  end(decisive: Failure): void {
    this.#decisive ??= decisive;
    this.#current?.stop(decisive);
    this.#endWait();
  }

  /** Ends a wait, since the engine goes down; an attempt under way goes on (engine rule D2). */
  drain(): void {
    if (this.trail.attempts === 0) this.end(shuttingDown());
    else this.#endWait();
  }

  /** Whether nothing more may be tried. */
  get isOver(): boolean {
    return this.#decisive !== undefined || this.#hasGivenUp || this.time.isUp;
  }

  /** Whether an answer was thrown away, so that the next one must have the time that it needs (engine rule U3). */
  get startsAfresh(): boolean {
    return this.#startsAfresh;
  }

  /** Waits `ms` milliseconds, at most until the request is ended. */
  async wait(ms: number): Promise<void> {
    const sinceMs = this.time.elapsedMs;
    await this.#waiting.for(ms);
    this.#waitedMs += this.time.elapsedMs - sinceMs;
  }

  /** Waits for leave of the next attempt, at most until the request is ended (class C22); returns why there is none. */
  async granted(claim: PendingClaim): Promise<Failure | undefined> {
    const sinceMs = this.time.elapsedMs;
    this.#claim = claim;
    const refused = await claim.decided;
    this.#claim = undefined;
    this.#waitedMs += this.time.elapsedMs - sinceMs;
    return refused;
  }

  /** Notes that the caller may spend no more; a stream that broke off before stays interrupted (class C22). */
  mayNotSpend(refused: Failure): void {
    this.giveUp(this.#interruption === undefined ? refused : undefined);
  }

  /** Stops what still runs beside the attempts. */
  close(): void {
    this.#client?.close();
  }

  /** Notes the attempt under way; undefined where it has ended. */
  attempting(attempt: Attempt<Output, Final> | undefined): void {
    this.#current = attempt;
  }

  /** Returns the time waited since the last attempt in milliseconds, and counts from 0 again. */
  takeWaitedMs(): number {
    const waitedMs = this.#waitedMs;
    this.#waitedMs = 0;
    return waitedMs;
  }

  /** Notes that an entry was passed over because too little time is left for it. */
  lacksTime(entry: ChainEntry): void {
    if (this.time.remainingMs < this.time.minAttemptMs) this.#lackedTime = true;
    if (this.#startsAfresh) this.chain.lacksTime(entry);
  }

  /**
   * Notes how the next answer begins behind one that broke off.
   * @param cause what broke it, before what it means to the caller, which is `failure`
   */
  begins(beginning: Beginning, entry: ChainEntry, cause: Failure, failure: Failure): void {
    if (beginning === 'AFRESH') this.#startsAfresh = true;
    if (beginning !== 'RESTART') return;
    this.allowance.restart(entry);
    this.delivery.broke(cause.reason);
    this.#tolerable = undefined;
    this.#interruption = failure;
  }

  /** Notes the failure of an answer that had begun: a target had taken the prompt. */
  hadBegun(failure: Failure): void {
    this.#begunFailure = failure;
  }

  /** How the last of the answers failed that had begun; undefined where none had. */
  get begunFailure(): Failure | undefined {
    return this.#begunFailure;
  }

  /** Notes that nothing more is tried; a decisive failure is what the caller is told, whatever else has happened. */
  giveUp(decisive?: Failure): void {
    this.#hasGivenUp = true;
    this.#decisive ??= decisive;
  }

  /** Keeps a complete answer that may be returned as it is, if the one that mends it does not come. */
  tolerate(answer: CallSuccess<Output, Final>): void {
    this.#tolerable = answer;
  }

  /** The answer that may be returned as it is; undefined where there is none, or the caller has lost it to another. */
  get tolerable(): CallSuccess<Output, Final> | undefined {
    if (this.#tolerable === undefined || this.delivery.isCommitted) return undefined;
    return { ...this.#tolerable, elapsedMs: this.time.elapsedMs };
  }

  /** Returns the result of a request that got no answer. */
  failed(): CallResult<Output, Final> {
    const attempts = this.trail.records;
    const deadlineReached = this.#lackedTime || this.time.isUp;
    const decisive = this.#decisive ?? (deadlineReached ? undefined : this.#interruption);
    const failure = finalFailure({
      attempts,
      deadlineReached,
      decisive,
      begun: this.#begunFailure,
      availableInMs: decisive === undefined ? this.chain.availableInMs() : undefined,
    });
    const usage = attempts.at(-1)?.usage;
    const { skipsLeftOut } = this.trail;
    const waitAfterMs = this.takeWaitedMs();
    return { ok: false, failure, attempts, skipsLeftOut, waitAfterMs, elapsedMs: this.time.elapsedMs, usage };
  }

  #endWait(): void {
    this.#waiting.wake();
    this.#claim?.cancel();
  }

  #mayPing(): boolean {
    if (this.#current === undefined) return wasContacted(this.trail.records);
    return !this.#current.isPaused;
  }
}
