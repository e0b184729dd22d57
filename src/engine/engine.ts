import type { Runtime, Timers } from '../core/ports.ts';
import { AdmissionQueue } from './request/slots/admission-queue.ts';
import { AttemptLoop } from './request/attempt-loop.ts';
import type { Affinity } from './port/affinity.ts';
import type { Call, CallResult, ChainEntry, TargetHealth } from './port/call.ts';
import type { EngineObserver } from './port/observer.ts';
import type { EngineConfig, EngineTarget } from './port/config.ts';
import type { EngineLoad } from './port/engine-load.ts';
import type { KeptKnowledge } from './port/kept-knowledge.ts';
import { type EngineSetup, setUp } from './setup.ts';
import { Drain } from './request/drain.ts';
import type { RequestContext } from './request/request.ts';
import { ConversationTargets, moved, withLastFirst } from './route/conversation-targets.ts';
import type { OperatorState } from './target/operator-switch.ts';
import { CircuitChecks } from './target/checks/circuit-checks.ts';
import type { FreeCheck } from './target/checks/free-check.ts';
import { SuspensionChecks } from './target/checks/suspension-checks.ts';
import type { TargetSnapshot, TargetState } from './target/state.ts';

/** What an engine is made of. */
export interface EngineParts {
  readonly config: EngineConfig;
  readonly targets: readonly EngineTarget[];
  readonly runtime: Runtime;
  readonly observer?: EngineObserver;
  /** Whether the process can take no new request (engine rule A3). Absent: it always can. */
  readonly isOverloaded?: (() => boolean) | undefined;
  /** How targets out of use are looked after, and whose timers that takes. Absent: they are not (engine rule K8). */
  readonly checks?: { readonly check: FreeCheck; readonly timers: Timers } | undefined;
}

/**
 * The fallback engine: carries each call over a chain of targets, with retries, failover, deadlines and circuit breakers. It
 * never sees a message: outputs and ends of answers are opaque to it. Reads time and chance from the runtime alone.
 */
export class Engine {
  #setup: EngineSetup;
  #context: RequestContext;
  readonly #runtime: Runtime;
  readonly #observer: EngineObserver;
  readonly #admission: AdmissionQueue;
  readonly #drain = new Drain();
  readonly #conversations: ConversationTargets;
  readonly #suspensionChecks: SuspensionChecks | undefined;
  readonly #circuitChecks: CircuitChecks | undefined;

  constructor({ config, targets, runtime, observer = {}, isOverloaded = () => false, checks }: EngineParts) {
    this.#runtime = runtime;
    const changed = (name: string): void => observer.targetChanged?.(name);
    const looksAfter = checks && new SuspensionChecks(checks.timers, checks.check, changed);
    this.#suspensionChecks = looksAfter;
    this.#circuitChecks = checks && new CircuitChecks(checks.timers, checks.check, changed);
    this.#observer = looksAfter === undefined ? observer : this.#lookingAfter(observer, looksAfter);
    this.#admission = new AdmissionQueue(config.admission, runtime, isOverloaded);
    this.#conversations = new ConversationTargets(() => runtime.now());
    this.#setup = setUp(targets, config, runtime);
    this.#context = this.#contextOf(this.#setup);
  }

  /** What calls that begin now are run by. */
  get setup(): EngineSetup {
    return this.#setup;
  }

  /**
   * Goes on with other settings and targets. Calls under way end with those that they began with; what was promised to them stays.
   *
   * @param keptOf how much of what is known of a target, by its name, still holds
   */
  configure(
    config: EngineConfig,
    targets: readonly EngineTarget[],
    keptOf: (target: string) => KeptKnowledge,
  ): EngineSetup {
    const before = this.#setup;
    const setup = setUp(targets, config, this.#runtime, before, keptOf);
    this.#setup = setup;
    this.#context = this.#contextOf(setup);
    this.#admission.configure(config.admission);
    for (const [name, state] of before.states) {
      if (setup.states.get(name) === state) continue;
      this.#suspensionChecks?.forget(name);
      this.#circuitChecks?.forget(name);
    }
    for (const name of new Set([...before.states.keys(), ...setup.states.keys()])) this.#observer.targetChanged?.(name);
    return setup;
  }

  /**
   * Runs one request to its end. Never rejects; a chain that names an unknown target is a fault of ours and ends as one.
   *
   * @param setup what it was planned with; default: what holds now
   */
  run<Output, Final>(call: Call<Output, Final>, setup = this.#setup): Promise<CallResult<Output, Final>> {
    return call.affinity === undefined ? this.#runThrough(call, setup) : this.#goOn(call, call.affinity, setup);
  }

  /** Runs a request that goes on with a conversation: first on the target that gave its last answer (engine rule A6). */
  async #goOn<Output, Final>(
    call: Call<Output, Final>,
    affinity: Affinity,
    setup: EngineSetup,
  ): Promise<CallResult<Output, Final>> {
    const last = this.#conversations.recall(affinity);
    const chain = last === undefined ? call.chain : withLastFirst(call.chain, last, affinity);
    const result = await this.#runThrough({ ...call, chain, prepare: (entry) => call.prepare(entry) }, setup);
    if (!result.ok) return result;
    const { serving, attempts } = result;
    this.#conversations.answered(affinity, { target: serving.target, model: serving.requestedModel });
    if (last === undefined || last.target === serving.target) return result;
    return { ...result, movedConversation: moved(last, attempts) };
  }

  #runThrough<Output, Final>(call: Call<Output, Final>, setup: EngineSetup): Promise<CallResult<Output, Final>> {
    return new AttemptLoop(call, setup === this.#setup ? this.#context : this.#contextOf(setup)).run();
  }

  #contextOf({ config, states }: EngineSetup): RequestContext {
    const stateOf = (entry: ChainEntry): TargetState => {
      const state = states.get(entry.target);
      if (state === undefined) throw new Error('The chain names a target that the engine does not have.');
      return state;
    };
    return {
      config,
      runtime: this.#runtime,
      observer: this.#observer,
      stateOf,
      refusedByCircuit: (entry) => this.#circuitChecks?.refused(stateOf(entry), entry),
      admission: this.#admission,
      drain: this.#drain,
    };
  }

  /**
   * Begins to go down: makes no new rounds, repeats or restarts any more, and ends waits for such at once; takes new requests and
   * keeps its queue until {@link drain} (engine rule D2). There is no way back.
   */
  repeatNothing(): void {
    this.#suspensionChecks?.close();
    this.#circuitChecks?.close();
    this.#drain.begin();
  }

  /**
   * Goes down: new requests and those that wait for a slot are refused as SHUTTING_DOWN; those under way go on, and repeat
   * nothing (engine rule D2). There is no way back.
   */
  drain(): void {
    this.#admission.close();
    this.repeatNothing();
  }

  /**
   * Does what an operator wants of a target's circuits; false where there is no such target.
   * @param circuit key of a circuit; absent: all. DISABLED is of the whole target alone
   */
  force(target: string, state: OperatorState, circuit?: string): boolean {
    return this.#change(target, (found) => {
      found.operator.set(state, circuit);
    });
  }

  /** Whether a model that only callers name has a circuit of its own at a target now, or an operator's wish is for it. */
  hasCircuit(target: string, model: string): boolean {
    const state = this.#setup.states.get(target);
    return state !== undefined && (state.circuits.hasUnnamed(model) || state.operator.names(model));
  }

  /** Forgets what keeps calls away from a target; false where there is no such target. */
  reset(target: string): boolean {
    return this.#change(target, (found) => {
      found.reset();
    });
  }

  /** Whatever changes a target may have suspended it. */
  #lookingAfter(observer: EngineObserver, checks: SuspensionChecks): EngineObserver {
    return {
      attemptEnded: (record) => observer.attemptEnded?.(record),
      alert: (target, failure) => observer.alert?.(target, failure),
      targetChanged: (target) => {
        const state = this.#setup.states.get(target);
        if (state !== undefined) checks.look(state);
        observer.targetChanged?.(target);
      },
    };
  }

  #change(target: string, change: (found: TargetState) => void): boolean {
    const found = this.#setup.states.get(target);
    if (found === undefined) return false;
    change(found);
    // What is reset of an account concerns all its targets.
    for (const name of this.#setup.states.keys()) this.#observer.targetChanged?.(name);
    return true;
  }

  /** Returns what another engine can go on from, as plain data. */
  snapshot(): readonly TargetSnapshot[] {
    return [...this.#setup.states.values()].map((state) => state.snapshot());
  }

  /** Goes on from what another engine knew of the targets of the same names. For an engine that has run nothing yet. */
  restore(snapshot: readonly TargetSnapshot[]): void {
    for (const target of snapshot) this.#setup.states.get(target.target)?.restore(target);
  }

  /** Returns how much there is to do. */
  get load(): EngineLoad {
    return this.#admission.load;
  }

  /** Returns the state of every target, in the order of the configuration. */
  health(): readonly TargetHealth[] {
    return [...this.#setup.states.values()].map((state) => state.health());
  }
}
