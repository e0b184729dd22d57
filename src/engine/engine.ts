import type { Runtime } from '../core/ports.ts';
import { AttemptLoop } from './attempt-loop.ts';
import type { Call, CallResult, ChainEntry, EngineObserver, TargetHealth } from './call.ts';
import type { EngineConfig, EngineTarget } from './config.ts';
import { Cooldown } from './cooldown.ts';
import { TargetState } from './target-state.ts';

/**
 * The fallback engine: carries each call over a chain of targets, with retries, failover, deadlines and circuit breakers. It
 * never sees a message: outputs and ends of answers are opaque to it. Reads time and chance from the runtime alone.
 */
export class Engine {
  readonly #config: EngineConfig;
  readonly #runtime: Runtime;
  readonly #observer: EngineObserver;
  readonly #states: ReadonlyMap<string, TargetState>;

  constructor(config: EngineConfig, targets: readonly EngineTarget[], runtime: Runtime, observer: EngineObserver = {}) {
    this.#config = config;
    this.#runtime = runtime;
    this.#observer = observer;
    const cooldowns = new Map<string, Cooldown>();
    const cooldownOf = (group: string): Cooldown => {
      const made =
        cooldowns.get(group) ??
        new Cooldown(
          () => runtime.now(),
          () => runtime.random(),
        );
      cooldowns.set(group, made);
      return made;
    };
    this.#states = new Map(
      targets.map((target) => [target.name, new TargetState(target, cooldownOf(target.limitGroup), config, runtime)]),
    );
  }

  /** Runs one request to its end. Never rejects; a chain that names an unknown target is a fault of ours and ends as one. */
  run<Output, Final>(call: Call<Output, Final>): Promise<CallResult<Output, Final>> {
    const stateOf = (entry: ChainEntry): TargetState => {
      const state = this.#states.get(entry.target);
      if (state === undefined) throw new Error('The chain names a target that the engine does not have.');
      return state;
    };
    return new AttemptLoop(call, {
      config: this.#config,
      runtime: this.#runtime,
      observer: this.#observer,
      stateOf,
    }).run();
  }

  /** Returns the state of every target, in the order of the configuration. */
  health(): readonly TargetHealth[] {
    return [...this.#states.values()].map((state) => state.health());
  }
}
