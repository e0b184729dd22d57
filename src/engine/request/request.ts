import type { Failure } from '../../core/failure.ts';
import { CLASS_RULES } from '../../core/failure.ts';
import type { Runtime } from '../../core/ports.ts';
import type { AdmissionQueue } from './admission-queue.ts';
import { Allowance } from './allowance.ts';
import { Attempt } from '../attempt/attempt.ts';
import type { AttemptKind, Call, CallResult, ChainEntry, EngineObserver, Repair, Serving } from '../port/call.ts';
import { Chain } from './chain.ts';
import { afterCommit, forCaller, shuttingDown } from '../port/failures.ts';
import { ClientStream } from '../attempt/client-stream.ts';
import type { EngineConfig } from '../port/config.ts';
import { Delivery } from '../attempt/delivery.ts';
import type { Drain } from './drain.ts';
import { finalFailure } from './final-failure.ts';
import { ProbeOutput } from '../attempt/probe-output.ts';
import { RequestTime } from './remaining-time.ts';
import { settleAttempt } from '../target/settle.ts';
import { SpoiledAnswer } from './spoiled-answer.ts';
import type { TargetState } from '../target/target-state.ts';
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
  /** The last answer that broke off or is not what was asked for. */
  readonly spoiled: SpoiledAnswer<Output, Final>;
  #current: Attempt<Output, Final> | undefined;
  /** Time spent waiting since the last attempt, in milliseconds. */
  #waitedMs = 0;
  /** Whether a target was passed over because the deadline was too near. */
  #lackedTime = false;
  /** What ends the request whatever targets are left. */
  #decisive: Failure | undefined;

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
    const recovery = call.client && (call.recovery ?? 'FAIL');
    const { allowance, time } = this;
    this.spoiled = new SpoiledAnswer({ recovery, allowance, time, delivery: this.#delivery });
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

  /** Whether the request has ended for a reason that no target can change. */
  get isDecided(): boolean {
    return this.#decisive !== undefined;
  }

  /** Whether nothing more may be tried. */
  get isOver(): boolean {
    return this.#decisive !== undefined || this.spoiled.isExhausted || this.time.isUp;
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
    const { allowance, chain, spoiled, time } = this;
    return new Visit(entry, later, { config, runtime, time, chain, stateOf, allowance, spoiled });
  }

  /** Allows an attempt, or notes in the trail why there is none. */
  admit(visit: Visit<Output, Final>, repair?: Repair<Output, Final>): Admission<Output, Final> | undefined {
    const { runtime, observer } = this.#context;
    const admission = visit.admit(this.trail.attempts === 0, repair);
    if ('permit' in admission) return admission;
    this.trail.skip(visit.entry, admission, runtime);
    if (admission.reason === 'DEADLINE') {
      if (this.time.remainingMs < this.time.minAttemptMs) this.#lackedTime = true;
      if (this.spoiled.startsAfresh) this.chain.lacksTime(visit.entry);
    }
    if (admission.class === 'internal') {
      observer.alert?.(visit.entry.target, admission);
      this.#failedOn(visit.entry, admission);
    }
    return undefined;
  }

  /**
   * Makes an attempt in the turn in which it was admitted; returns the result of the request where it succeeded.
   * @param again what it is where it is no first try of a visit: the first one after the answer broke off, or one that mends
   */
  async attempt(
    visit: Visit<Output, Final>,
    { prepared, permit, limits }: Admission<Output, Final>,
    again?: 'RESTART' | 'REPAIR',
  ): Promise<CallResult<Output, Final> | undefined> {
    const { runtime, observer, stateOf } = this.#context;
    const { entry } = visit;
    const start = {
      kind: again !== 'REPAIR' && permit.probe ? 'PROBE' : (again ?? this.#kindOf(entry)),
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
    const rejection = end.ok ? prepared.judge?.(end.final) : undefined;
    const cause = end.ok ? undefined : forCaller(end.failure, entry.modelNamedByCaller);
    const fault = rejection?.failure ?? cause;
    const failure = fault && this.#delivery.isCommitted ? afterCommit(fault) : fault;
    const record = this.trail.end(number, start, attempt, failure);
    const { staleSocketReplaced } = visit;
    settleAttempt({ observer, state, permit, record, cause, timing: prepared.timing, staleSocketReplaced });
    const answer = end.ok ? this.#succeeded(serving(), attempt, end.final) : undefined;
    if (fault === undefined || failure === undefined) return answer;
    if (rejection !== undefined && answer !== undefined) {
      if (this.spoiled.isMended(entry, rejection, answer)) {
        this.chain.failed(entry, failure);
        return undefined;
      }
      if (rejection.isTolerable) return answer;
    }
    visit.brokeOff = attempt.outputBytes > 0;
    if (visit.brokeOff && this.spoiled.beginsAnew(entry, fault, failure)) this.chain.failed(entry, failure);
    else this.#failedOn(entry, failure);
    return undefined;
  }

  #kindOf(entry: ChainEntry): AttemptKind {
    if (this.trail.attempts === 0) return 'FIRST';
    return this.chain.failureOf(entry) === undefined ? 'FAILOVER' : 'RETRY';
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
    const decisive = this.#decisive ?? (deadlineReached ? undefined : this.spoiled.interruption);
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
