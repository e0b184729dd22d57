import type { Failure } from '../core/failure.ts';
import { CLASS_RULES } from '../core/failure.ts';
import type { Runtime } from '../core/ports.ts';
import type { AdmissionQueue } from './admission-queue.ts';
import { Allowance } from './allowance.ts';
import { Attempt } from './attempt.ts';
import type { AttemptKind, Call, CallResult, ChainEntry, EngineObserver, Recovery, Serving } from './call.ts';
import { Chain } from './chain.ts';
import { afterCommit, forCaller, shuttingDown } from './classify.ts';
import { ClientStream } from './client-stream.ts';
import type { EngineConfig } from './config.ts';
import { Delivery } from './delivery.ts';
import type { Drain } from './drain.ts';
import { finalFailure } from './final-failure.ts';
import { ProbeOutput } from './probe.ts';
import { recover } from './recovery.ts';
import { RequestTime } from './request-time.ts';
import { settleAttempt } from './settle.ts';
import type { TargetState } from './target-state.ts';
import { Trail, wasContacted } from './trail.ts';
import type { Admission } from './visit.ts';
import { Visit } from './visit.ts';
import { Waiting } from './waiting.ts';

/** What a request shares with all others. */
export interface RequestContext {
  readonly config: EngineConfig;
  readonly runtime: Runtime;
  readonly observer: EngineObserver;
  readonly stateOf: (entry: ChainEntry) => TargetState;
  readonly admission: AdmissionQueue;
  readonly drain: Drain;
}

/** One request: its time, its chain, its trail, and the making of its attempts. What is tried when is not decided here. */
export class Request<Output, Final> {
  readonly time: RequestTime;
  readonly chain: Chain<Output, Final>;
  readonly trail: Trail;
  readonly allowance: Allowance;
  readonly #context: RequestContext;
  readonly #waiting: Waiting;
  readonly #client: ClientStream<Output> | undefined;
  readonly #delivery: Delivery<Output>;
  /** What the caller of a stream wants done when it breaks off; undefined for other calls. */
  readonly #recovery: Recovery | undefined;
  #current: Attempt<Output, Final> | undefined;
  /** Time spent waiting since the last attempt, in milliseconds. */
  #waitedMs = 0;
  /** Whether a target was passed over because the deadline was too near. */
  #lackedTime = false;
  /** What ends the request whatever targets are left. */
  #decisive: Failure | undefined;
  /** What broke the answer that the caller has got some of, while another is to take its place. */
  #interruption: Failure | undefined;
  /** Whether an answer was thrown away because it broke off: then the next one must have the time that it needs. */
  #startsAfresh = false;
  /** Whether nothing more may be tried, although nothing decisive has happened. */
  #isExhausted = false;

  constructor(call: Call<Output, Final>, context: RequestContext) {
    const { config, runtime } = context;
    this.#context = context;
    this.time = new RequestTime(runtime, call.timeoutMs, config);
    this.chain = new Chain(call, context.stateOf);
    this.trail = new Trail(this.time.startedAtMs);
    this.allowance = new Allowance(config.retry, context.stateOf, context.drain);
    this.#waiting = new Waiting(runtime);
    this.#client = call.client && new ClientStream(runtime, call.client, () => this.#mayPing());
    this.#delivery = new Delivery(this.#client);
    this.#recovery = call.client && (call.recovery ?? 'FAIL');
  }

  /** Ends the request: aborts the attempt under way in the same turn, or the wait (engine rule D1). */
  end(decisive: Failure): void {
    this.#decisive ??= decisive;
    this.#current?.stop(decisive);
    this.#waiting.wake();
  }

  /** Ends a wait, since the engine goes down; an attempt under way goes on (engine rule D2). */
  drain(): void {
    if (this.trail.attempts === 0) this.end(shuttingDown());
    else this.#waiting.wake();
  }

  /** Whether nothing more may be tried. */
  get isOver(): boolean {
    return this.#decisive !== undefined || this.#isExhausted || this.time.isUp;
  }

  /** Waits, at most until the request is ended. */
  async wait(ms: number): Promise<void> {
    const sinceMs = this.time.elapsedMs;
    await this.#waiting.for(ms);
    this.#waitedMs += this.time.elapsedMs - sinceMs;
  }

  /** Stops what still runs beside the attempts. */
  close(): void {
    this.#client?.close();
  }

  /** Begins a visit to an entry, in a round in which others still have their turns. */
  visit(entry: ChainEntry, later: readonly ChainEntry[]): Visit<Output, Final> {
    const { config, runtime, stateOf } = this.#context;
    const { chain, time } = this;
    return new Visit(entry, later, { config, runtime, time, chain, stateOf, startsAfresh: this.#startsAfresh });
  }

  /** Allows an attempt, or notes in the trail why there is none. */
  admit(visit: Visit<Output, Final>): Admission<Output, Final> | undefined {
    const { runtime, observer } = this.#context;
    const admission = visit.admit(this.trail.attempts === 0);
    if ('permit' in admission) return admission;
    this.trail.skip(visit.entry, admission, runtime);
    if (admission.reason === 'DEADLINE') {
      if (this.time.remainingMs < this.time.minAttemptMs) this.#lackedTime = true;
      if (this.#startsAfresh) this.chain.lacksTime(visit.entry);
    }
    if (admission.class === 'internal') {
      observer.alert?.(visit.entry.target, admission);
      this.#failedOn(visit.entry, admission);
    }
    return undefined;
  }

  /**
   * Makes an attempt in the turn in which it was admitted; returns the result of the request where it succeeded.
   * @param isRestart whether it is the first one after the answer broke off
   */
  async attempt(
    visit: Visit<Output, Final>,
    { prepared, permit, limits }: Admission<Output, Final>,
    isRestart: boolean,
  ): Promise<CallResult<Output, Final> | undefined> {
    const { runtime, observer, stateOf } = this.#context;
    const { entry } = visit;
    const start = {
      kind: permit.probe ? 'PROBE' : isRestart ? 'RESTART' : this.#kindOf(entry),
      entry,
      startedAtMs: runtime.now(),
      startedAtWallMs: runtime.wall(),
      waitBeforeMs: this.#waitedMs,
      sliceMs: limits.sliceMs,
      circuit: permit.circuit,
    } as const;
    this.#waitedMs = 0;
    const number = this.trail.begin();
    const serving = (): Serving => ({
      number,
      target: entry.target,
      provider: entry.provider,
      model: attempt.reportedModel ?? entry.model,
      requestedModel: entry.model,
    });
    const output = this.#delivery.forAttempt(serving);
    const probe = permit.probe
      ? new ProbeOutput(runtime, output, () => {
          permit.provisionalSuccess();
          observer.targetChanged?.(entry.target);
        })
      : undefined;
    const attempt = new Attempt<Output, Final>(runtime, prepared, limits, probe ?? output);
    this.#current = attempt;
    const state = stateOf(entry);
    state.stats.attemptStarted();
    const end = await attempt.start();
    this.#current = undefined;
    probe?.stop();
    const cause = end.ok ? undefined : forCaller(end.failure, entry.modelNamedByCaller);
    const failure = cause && this.#delivery.isCommitted ? afterCommit(cause) : cause;
    const record = this.trail.end(number, start, attempt, failure);
    const { staleSocketReplaced } = visit;
    settleAttempt({ observer, state, permit, record, cause, timing: prepared.timing, staleSocketReplaced });
    if (end.ok) return this.#succeeded(serving(), attempt, end.final);
    if (cause === undefined || failure === undefined) return undefined;
    visit.brokeOff = attempt.outputBytes > 0;
    if (visit.brokeOff && this.#beginsAnew(entry, cause, failure)) this.chain.failed(entry, failure);
    else this.#failedOn(entry, failure);
    return undefined;
  }

  #kindOf(entry: ChainEntry): AttemptKind {
    if (this.trail.attempts === 0) return 'FIRST';
    return this.chain.failureOf(entry) === undefined ? 'FAILOVER' : 'RETRY';
  }

  /** Decides what follows an answer that broke off in the middle; returns whether its stream begins anew. */
  #beginsAnew(entry: ChainEntry, cause: Failure, failure: Failure): boolean {
    const recovered = recover({
      cause,
      recovery: this.#recovery,
      hasRepeats: this.allowance.hasRepeats,
      mayRestart: this.allowance.mayRestart(entry),
      remainingMs: this.time.remainingMs,
      minAttemptMs: this.time.minAttemptMs,
    });
    this.#startsAfresh = recovered === 'NEXT';
    if (recovered === 'END') this.#isExhausted = true;
    if (recovered !== 'RESTART') return false;
    this.allowance.restart(entry);
    this.#delivery.broke(cause.reason);
    this.#interruption = failure;
    return true;
  }

  #failedOn(entry: ChainEntry, failure: Failure): void {
    const isFinal = CLASS_RULES[failure.class].next === 'no' || this.#delivery.isCommitted;
    // A fault of ours is passed on to one other target, not to all (class C21).
    if (isFinal || (failure.class === 'internal' && this.chain.hasInternalFault)) this.#decisive ??= failure;
    this.chain.failed(entry, failure);
  }

  #mayPing(): boolean {
    if (this.#current === undefined) return wasContacted(this.trail.records);
    return !this.#current.isPaused;
  }

  #succeeded(serving: Serving, attempt: Attempt<Output, Final>, final: Final): CallResult<Output, Final> {
    return {
      ok: true,
      serving,
      final,
      outputs: this.#delivery.outputs,
      usage: attempt.usage,
      attempts: this.trail.records,
      skipsLeftOut: this.trail.skipsLeftOut,
      elapsedMs: this.time.elapsedMs,
      deadlineClamped: this.time.isClamped,
      empty: attempt.outputBytes === 0,
    };
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
      availableInMs: decisive === undefined ? this.chain.availableInMs() : undefined,
    });
    const usage = attempts.at(-1)?.usage;
    const { skipsLeftOut } = this.trail;
    return { ok: false, failure, attempts, skipsLeftOut, elapsedMs: this.time.elapsedMs, usage };
  }
}
