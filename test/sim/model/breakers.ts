import type { ChainEntry, TargetHealth } from '../../../src/engine/port/call.ts';
import type { CircuitBreakerConfig } from '../../../src/engine/port/config.ts';
import type { OperatorState } from '../../../src/engine/target/operator-switch.ts';
import type { CallFacts } from '../sim-call.ts';
import { BreakerModel } from './breaker-model.ts';
import { TimesModel } from './times-model.ts';

/** What is remembered of one model of a target. */
export interface CircuitModel {
  readonly model: string;
  /** Whether only callers name it. */
  readonly isUnnamed: boolean;
  readonly breaker: BreakerModel;
  readonly times: TimesModel;
  /** Calls under way. */
  readonly calls: Set<CallFacts>;
  /** When a call was begun or ended last. */
  usedAtMs: number;
}

type Asked = Pick<ChainEntry, 'target' | 'model' | 'circuit'>;

/** The circuits of all targets by the rule (K12): one for each model, whoever names it. Worlds have too few for the bound. */
export class Breakers {
  readonly #config: CircuitBreakerConfig;
  readonly #circuits: ReadonlyMap<string, Map<string, CircuitModel>>;
  readonly #wishes = new Map<string, OperatorState>();

  constructor(config: CircuitBreakerConfig, targets: readonly string[]) {
    this.#config = config;
    this.#circuits = new Map(targets.map((target) => [target, new Map<string, CircuitModel>()]));
    for (const target of targets) this.of({ target, model: `${target}-model`, circuit: `${target}-model` });
  }

  /** The circuit of an entry, made when first asked for. */
  of({ target, model, circuit }: Asked): CircuitModel {
    const circuits = this.#circuits.get(target);
    if (circuits === undefined) throw new Error(`no model of ${target}`);
    const known = circuits.get(model);
    if (known !== undefined) return known;
    const breaker = new BreakerModel(this.#config);
    breaker.force(this.#wishes.get(target) ?? 'AUTOMATIC', 0);
    const isUnnamed = circuit !== model;
    const made = { model, isUnnamed, breaker, times: new TimesModel(), calls: new Set<CallFacts>(), usedAtMs: 0 };
    circuits.set(model, made);
    return made;
  }

  /** The circuit of the model that the configuration names for a target. */
  own(target: string): BreakerModel {
    return this.of({ target, model: `${target}-model`, circuit: `${target}-model` }).breaker;
  }

  /** All circuits of a target. */
  all(target: string): readonly CircuitModel[] {
    return [...(this.#circuits.get(target)?.values() ?? [])];
  }

  /** Takes in what an operator wants of a target. */
  force(target: string, wish: OperatorState, nowMs: number): void {
    this.#wishes.set(target, wish);
    for (const { breaker } of this.all(target)) breaker.force(wish, nowMs);
  }

  /** Begins all circuits of a target anew. */
  reset(target: string, nowMs: number): void {
    this.#wishes.delete(target);
    for (const { breaker, calls, times } of this.all(target)) {
      breaker.reset(nowMs);
      times.reset();
      calls.clear();
    }
  }

  /** Whether people are told no more of a circuit: only callers name its model, and for a whole window nobody has. */
  isForgotten({ isUnnamed, breaker, calls, usedAtMs }: CircuitModel, nowMs: number): boolean {
    const isOld = nowMs - usedAtMs >= this.#config.windowMs;
    return isUnnamed && isOld && calls.size === 0 && nowMs >= breaker.reopensAtMs;
  }
}

/** Returns how a target's circuit is told to people: by itself, or by `other` that stands for it; undefined where it is not. */
export function circuitTold(
  { circuits }: TargetHealth,
  { model, isUnnamed }: Pick<CircuitModel, 'model' | 'isUnnamed'>,
) {
  const own = circuits.find((circuit) => circuit.model === model);
  return own ?? (isUnnamed ? circuits.find((circuit) => circuit.model === 'other') : undefined);
}
