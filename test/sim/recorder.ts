import type { Verdict } from '../../src/core/failure.ts';
import type { Runtime } from '../../src/core/ports.ts';
import type { AttemptRecord, CallResult, ChainEntry, TargetHealth } from '../../src/engine/port/call.ts';
import type { ScriptEvent } from '../support/upstream-scripts.ts';
import type { EventLog } from './event-log.ts';
import type { Check, Facts, Made, Run, Stall, Watch } from './facts.ts';
import { heldUpMs, TOLERANCE_MS } from './facts.ts';
import type { StandsBy } from './model/breaker-model.ts';
import { arrivalAt } from './model/arrivals.ts';
import type { Breakers } from './model/breakers.ts';
import { circuitTold } from './model/breakers.ts';
import type { CooldownModel } from './model/cooldown-model.ts';
import { rowOf } from './model/class-table.ts';
import { isSuspicious, judge } from './model/judge.ts';
import type { Judgement } from './model/judge.ts';
import type { SlotsModel } from './model/slots-model.ts';
import type { CallFacts } from './sim-call.ts';
import type { Told } from './sim-client.ts';
import type { OperatorAct } from './tape.ts';
import type { CircuitSeen } from './model/breaker-model.ts';

/** Ends of calls by which nothing was heard of the provider for as long as it was listened to. */
const SILENT: ReadonlySet<Judgement['by']> = new Set(['silence', 'cut_short', 'deadline']);

/** A broken invariant. */
export interface Violation {
  readonly number: number;
  readonly says: string;
  readonly what: string;
  readonly atMs: number;
}

/** Models of all targets. */
export interface Models {
  readonly breakers: Breakers;
  readonly slots: ReadonlyMap<string, SlotsModel>;
  readonly cooldownOf: (target: string) => CooldownModel;
}

/** Writes down what happens, keeps the models up to date, and lets every check look at it. */
export class Recorder {
  readonly violations: Violation[] = [];
  /** Failures by the models, for each target. */
  readonly blamed = new Map<string, number>();
  readonly #runtime: Runtime;
  readonly #log: EventLog;
  readonly #models: Models;
  readonly #health: () => readonly TargetHealth[];
  /** Calls whose first output has come. */
  readonly #begun = new WeakSet<CallFacts>();
  #watches: readonly Watch[] = [];
  #stalls: readonly Stall[] = [];

  constructor(runtime: Runtime, log: EventLog, models: Models, health: () => readonly TargetHealth[]) {
    this.#runtime = runtime;
    this.#log = log;
    this.#models = models;
    this.#health = health;
  }

  /** Begins to check. */
  watch(checks: readonly Check[], facts: Facts): void {
    this.#stalls = facts.stalls;
    this.#watches = checks.map(({ number, says, watch }) =>
      watch(facts, (what) => {
        this.violations.push({ number, says, what, atMs: this.#runtime.now() });
      }),
    );
  }

  asked(run: Run): void {
    this.#log.note(`run ${run.id} asked`);
    for (const watch of this.#watches) watch.asked?.(run);
  }

  opened(run: Run, call: CallFacts): Made {
    const nowMs = this.#runtime.now();
    const { breakers, cooldownOf } = this.#models;
    const free = { others: this.#others(run, call, 'surely'), mayBeOthers: this.#others(run, call, 'perhaps') };
    const own = breakers.of(call.entry);
    const circuit = own.breaker.opened(call, nowMs);
    if (own.breaker.isAutomatic) own.calls.add(call);
    own.usedAtMs = nowMs;
    this.#models.slots.get(call.target)?.opened(nowMs);
    const blames = own.times.asked(call.timing, nowMs);
    const made: Made = {
      call,
      index: run.made.length,
      circuit,
      blame: blames.no_head,
      blames,
      arrival: 'no_head',
      heldUntilMs: cooldownOf(call.target).heldUntilMs(call.entry.model),
      ...free,
      othersAtEnd: [],
      soundAtEnd: 'none',
      isOutdated: false,
    };
    cooldownOf(call.target).sent(call.entry.model, nowMs);
    run.made.push(made);
    this.#log.note(`run ${run.id} opens ${call.id} of ${call.target}${circuit.isProbe ? ' as a probe' : ''}`);
    for (const watch of this.#watches) watch.opened?.(run, made);
    return made;
  }

  /** A free call has been answered, or not. */
  checked(target: string, answers: boolean): void {
    const nowMs = this.#runtime.now();
    this.#log.note(`${target} is found ${answers ? 'up' : 'down'}`);
    for (const { breaker } of this.#models.breakers.all(target)) breaker.checked(answers, nowMs);
  }

  delivered(run: Run, made: Made, event: ScriptEvent): void {
    const { call } = made;
    if (call.firstOutputAtMs === this.#runtime.now())
      this.#models.breakers.of(call.entry).breaker.answered(call, this.#runtime.now());
    this.#log.note(`call ${made.call.id} ${event.type}`);
    this.#arrived(made, event);
    if (event.type === 'headers' && event.limits !== undefined) {
      const { target, entry } = made.call;
      this.#models.cooldownOf(target).read(event.limits, entry.model, this.#runtime.now());
    }
    if (call.firstOutputAtMs !== undefined && !this.#begun.has(call)) {
      this.#begun.add(call);
      const { times } = this.#models.breakers.of(call.entry);
      times.began(call.timing, call.firstOutputAtMs - call.openedAtMs, call.firstOutputAtMs);
    }
    for (const watch of this.#watches) watch.delivered?.(run, made, event);
  }

  handled(call: CallFacts, what: string): void {
    this.#log.note(`call ${call.id} ${what}`);
  }

  ended(run: Run, record: AttemptRecord): void {
    const made = run.made.at(-1);
    if (made === undefined || made.record !== undefined) {
      this.#fault(35, 'an attempt is told to have ended, but none was under way');
      return;
    }
    made.record = record;
    this.#learn(run, made, record);
    made.othersAtEnd = this.#others(run, made.call, 'surely');
    made.soundAtEnd = this.#soundOthers(run, made.call);
    this.#log.note(
      `call ${made.call.id} ended ${record.failure?.class ?? 'well'} after ${record.durationMs.toFixed(3)}`,
    );
    for (const watch of this.#watches) watch.ended?.(run, made, record);
  }

  /** Something about a target has changed; where no attempt has ended, that is a probe that has been answering for long enough. */
  changed(target: string): void {
    for (const { breaker } of this.#models.breakers.all(target)) {
      const steady = breaker.steadyProbe(this.#runtime.now());
      if (steady !== undefined) breaker.succeeded(steady, this.#runtime.now());
    }
  }

  /** An operator does something, or takes it back. */
  forced(target: string, does: OperatorAct['does'] | 'AUTOMATIC'): void {
    const nowMs = this.#runtime.now();
    this.#log.note(`${target} is made ${does}`);
    const { breakers } = this.#models;
    if (does !== 'RESET') {
      breakers.force(target, does, nowMs);
      return;
    }
    breakers.reset(target, nowMs);
    this.#models.slots.get(target)?.clear(nowMs);
    this.#models.cooldownOf(target).clear(nowMs);
  }

  told(run: Run, told: Told): void {
    run.told.push(told);
    this.#log.note(`run ${run.id} told ${told.what} ${told.what === 'output' ? told.text : ''}`);
    for (const watch of this.#watches) watch.told?.(run, told);
  }

  settled(run: Run, result: CallResult<string, string>): void {
    run.result = result;
    run.settledAtMs = this.#runtime.now();
    this.#log.note(`run ${run.id} settled ${result.ok ? 'ok' : result.failure.reason}`);
    for (const watch of this.#watches) watch.settled?.(run, result);
  }

  step(): void {
    for (const watch of this.#watches) watch.step?.();
  }

  quiet(): void {
    for (const watch of this.#watches) watch.quiet?.();
  }

  /** Nothing that comes behind the first output says anything of it. */
  #arrived(made: Made, event: ScriptEvent): void {
    const { call, blames, arrival } = made;
    if (call.firstOutputAtMs !== undefined) return;
    made.arrival = arrivalAt(call.timing, arrival, event, this.#runtime.now() - call.openedAtMs);
    made.blame = blames[made.arrival];
  }

  #fault(number: number, what: string): void {
    this.violations.push({ number, says: 'the engine tells what happened', what, atMs: this.#runtime.now() });
  }

  #others(run: Run, call: CallFacts, how: 'surely' | 'perhaps'): ChainEntry[] {
    return run.entries.filter((entry) => entry !== call.entry && this.#isFree(run, entry, how));
  }

  /** Whether a target of another name could be asked that is not suspect (R3). */
  #soundOthers(run: Run, call: CallFacts): StandsBy {
    const among = (how: 'surely' | 'perhaps', suspects: 'surely' | 'perhaps'): boolean =>
      this.#others(run, call, how).some(
        (entry) =>
          entry.target !== call.target &&
          !this.#models.breakers.of(entry).breaker.isSuspect(this.#runtime.now(), suspects),
      );
    if (!among('perhaps', 'surely')) return 'none';
    // Behind an answer that broke off, the engine knows which targets have no time left for another (U3).
    const isTold = run.made.every(({ call: { texts } }) => texts.length === 0);
    return isTold && among('surely', 'perhaps') ? 'some' : 'perhaps';
  }

  #isFree(run: Run, entry: ChainEntry, how: 'surely' | 'perhaps'): boolean {
    const nowMs = this.#runtime.now();
    const cooldown = this.#models.cooldownOf(entry.target);
    const untilMs = how === 'surely' ? cooldown.mayHoldUntilMs(entry.model) : cooldown.heldUntilMs(entry.model);
    if (this.#models.slots.get(entry.target)?.isFull(nowMs) !== false) return false;
    const { breaker } = this.#models.breakers.of(entry);
    const admits = how === 'surely' ? breaker.admits(nowMs) : breaker.mayAdmit(nowMs);
    if (nowMs < untilMs || !admits) return false;
    const last = run.made.findLast(({ call }) => call.entry === entry)?.record?.failure;
    const comesBack = last === undefined || (rowOf(last.class).comesBack && last.repeatIsUseless !== true);
    if (!comesBack) return false;
    // What one target cannot do, others may not be able to do either: the engine may know.
    const isBeyond = ({ record }: Made): boolean =>
      record?.failure?.class === 'capability' && record.failure.quirk === undefined;
    return how === 'perhaps' || !run.made.some(isBeyond);
  }

  #learn(run: Run, made: Made, record: AttemptRecord): void {
    const { call } = made;
    const nowMs = this.#runtime.now();
    const judgement = judge(run, made, call.closedAtMs ?? nowMs, record.sliceMs, this.#stalls);
    const { cause } = judgement;
    const judged = this.#withSuspicion(judgement, run, made, record);
    const health = this.#health().find(({ target }) => target === call.target);
    const before = this.blamed.get(call.target) ?? 0;
    const verdict = judged ?? ((health?.failures ?? 0) > before ? 'failure' : 'neutral');
    if (verdict === 'failure') this.blamed.set(call.target, before + 1);
    const own = this.#models.breakers.of(call.entry);
    const { breaker, times } = own;
    own.calls.delete(call);
    own.usedAtMs = nowMs;
    const asker = { request: run, soundOthers: this.#soundOthers(run, call) };
    const how = { retryAfterMs: cause?.retryAfterMs, wasSilent: call.error === undefined && !call.endedCleanly };
    made.isOutdated = !breaker.ended(call, verdict, how, nowMs, asker);
    if (breaker.isUndecided) {
      breaker.adopt((health && circuitTold(health, own)?.state) ?? 'CLOSED', how, nowMs);
    }
    this.#models.slots.get(call.target)?.ended(verdict === 'success', cause, nowMs, isLetThrough(made.circuit));
    // Of a model that only its caller knows, nobody is told that it is missing (class C11).
    const isCallers = cause?.class === 'not_found' && call.entry.modelNamedByCaller;
    if (cause !== undefined && !isCallers) this.#models.cooldownOf(call.target).failed(cause, call.entry.model, nowMs);
    if (record.failure === undefined) times.completed(call.timing, nowMs - call.openedAtMs, nowMs);
    const isSilence = cause === undefined && call.firstOutputAtMs === undefined && !call.endedCleanly;
    if (!isSilence || verdict !== 'failure') return;
    const endedAtMs = call.closedAtMs ?? nowMs;
    const wasHeldUp = heldUpMs({ stalls: this.#stalls }, call.openedAtMs, endedAtMs) > 0;
    if (made.circuit.isProbe) times.probeFailed();
    else if (!isLetThrough(made.circuit))
      times.left(made.blame, endedAtMs - call.openedAtMs + TOLERANCE_MS, !wasHeldUp);
  }

  /** The third suspicious silence in a row is the provider's fault, however short (X1). */
  #withSuspicion({ verdict, by }: Judgement, run: Run, made: Made, record: AttemptRecord): Verdict | undefined {
    const { call, blame } = made;
    if (call.firstOutputAtMs !== undefined || !SILENT.has(by)) return verdict;
    const endedAtMs = call.closedAtMs ?? this.#runtime.now();
    const answersNobody = this.#models.breakers.of(call.entry).times.silent({
      startedAtMs: call.openedAtMs,
      endedAtMs,
      isSuspicious: isSuspicious(run, made, endedAtMs, record.sliceMs, this.#stalls),
      suspectFromMs: blame.suspectFromMs,
    });
    if (verdict !== 'neutral') return verdict;
    return answersNobody === undefined ? undefined : answersNobody ? 'failure' : 'neutral';
  }
}

/** Whether a circuit that was not closed has let a call through. */
function isLetThrough({ isProbe, ahead }: CircuitSeen): boolean {
  return isProbe || ahead !== undefined;
}
