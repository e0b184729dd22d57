import { OTHER_MODELS } from '../../core/model-id.ts';
import type { ChainEntry } from '../port/call.ts';
import type { CircuitBreakerConfig } from '../port/config.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import { ResponseTimes } from './times/response-times.ts';

/** How many models that only callers name have a circuit of their own at a time, for each target (engine rule K12). */
const MAX_UNNAMED = 100;

/** What is remembered of one model of a target. */
export interface Circuit {
  readonly breaker: CircuitBreaker;
  readonly times: ResponseTimes;
}

/** A circuit of a model that only its callers name. */
interface Unnamed extends Circuit {
  /** When an attempt was begun or ended with it. */
  usedAtMs: number;
}

/** Which model is asked for, and whether the configuration or a catalogue names it. */
export type CircuitOf = Pick<ChainEntry, 'circuit' | 'model'>;

/** Whether only its callers name a model, so that it is one of many that nobody has counted. */
function isUnnamed({ circuit, model }: CircuitOf): boolean {
  return circuit === OTHER_MODELS && model !== OTHER_MODELS;
}

/**
 * The circuits of one target (engine rule K12). Models that the configuration or a catalogue names have one each for good. Of those
 * that only callers name the last hundred have one each; who needs one more takes the place of the one that was used least recently
 * and has nothing to say any more, or, where all of them have, shares the circuit `other`.
 */
export class Circuits {
  #config: CircuitBreakerConfig;
  readonly #now: () => number;
  /** By key; `other` is that of all who share. */
  readonly #named = new Map<string, Circuit>();
  /** By model, the least recently used first. */
  readonly #unnamed = new Map<string, Unnamed>();

  /** Told which model has lost its circuit to another. */
  dropped: (model: string) => void;

  constructor(config: CircuitBreakerConfig, now: () => number, dropped: (model: string) => void = () => undefined) {
    this.#config = config;
    this.#now = now;
    this.dropped = dropped;
  }

  /** Returns the circuit of an entry, made when first asked for. */
  of(entry: CircuitOf): Circuit {
    return isUnnamed(entry) ? this.#ofUnnamed(entry.model) : this.named(entry.circuit);
  }

  /** Returns the circuit of an entry, or that of all who share where it has none and there is no room; undefined: none yet. */
  peek(entry: CircuitOf): Circuit | undefined {
    if (!isUnnamed(entry)) return this.#named.get(entry.circuit);
    const known = this.#unnamed.get(entry.model);
    return known ?? (this.#hasRoom() ? undefined : this.#named.get(OTHER_MODELS));
  }

  /** Returns the key under which other figures of an entry's model are kept: bounded like the circuits. */
  keyOf(entry: CircuitOf): string {
    if (!isUnnamed(entry)) return entry.circuit;
    return this.#unnamed.has(entry.model) || this.#hasRoom() ? entry.model : OTHER_MODELS;
  }

  /** Returns the circuit of a key that the configuration or a catalogue names, or of all who share; made when first asked for. */
  named(key: string): Circuit {
    const known = this.#named.get(key);
    if (known !== undefined) return known;
    const made = { breaker: this.#newBreaker(), times: new ResponseTimes(this.#now) };
    this.#named.set(key, made);
    return made;
  }

  /** Holds all circuits to other settings from now on; what they know stays, and attempts under way settle into nothing. */
  configure(config: CircuitBreakerConfig): void {
    this.#config = config;
    const goOn = (before: CircuitBreaker): CircuitBreaker => {
      const breaker = this.#newBreaker();
      breaker.restore(before.snapshot());
      return breaker;
    };
    for (const [key, { breaker, times }] of this.#named) this.#named.set(key, { breaker: goOn(breaker), times });
    for (const [model, { breaker, times, usedAtMs }] of this.#unnamed) {
      this.#unnamed.set(model, { breaker: goOn(breaker), times, usedAtMs });
    }
  }

  /** Begins all circuits anew; attempts under way settle into circuits that are no more. What is known of times stays, suspicion goes. */
  reset(): void {
    for (const { times } of [...this.#named.values(), ...this.#unnamed.values()]) times.silences.reset();
    for (const [key, { times }] of this.#named) this.#named.set(key, { breaker: this.#newBreaker(), times });
    for (const [model, { times, usedAtMs }] of this.#unnamed) {
      this.#unnamed.set(model, { breaker: this.#newBreaker(), times, usedAtMs });
    }
  }

  /** Takes in whether the target answers a free call; true where the probe of any circuit may go earlier (engine rule K8). */
  checked(answers: boolean): boolean {
    const circuits = [...this.#named.values(), ...this.#unnamed.values()];
    return circuits.filter(({ breaker }) => breaker.checked(answers)).length > 0;
  }

  /** Whether a model that only callers name has a circuit of its own now. */
  hasUnnamed(model: string): boolean {
    return this.#unnamed.has(model);
  }

  /** Returns the circuits that outlive the engine: who only callers name may never be asked for again. */
  entries(): Iterable<readonly [key: string, circuit: Circuit]> {
    return this.#named;
  }

  /** Returns the circuits of models that only callers name, but for those that have not been used for long and refuse nothing. */
  unnamed(): readonly (readonly [model: string, breaker: CircuitBreaker])[] {
    return [...this.#unnamed].flatMap(([model, circuit]) =>
      this.#isForgotten(circuit) ? [] : [[model, circuit.breaker] as const],
    );
  }

  #ofUnnamed(model: string): Circuit {
    const known = this.#unnamed.get(model);
    if (known !== undefined) {
      known.usedAtMs = this.#now();
      this.#unnamed.delete(model);
      this.#unnamed.set(model, known);
      return known;
    }
    if (this.#unnamed.size >= MAX_UNNAMED) {
      const least = this.#leastOfUse();
      if (least === undefined) return this.named(OTHER_MODELS);
      this.#unnamed.delete(least);
      this.dropped(least);
    }
    const made = { breaker: this.#newBreaker(), times: new ResponseTimes(this.#now), usedAtMs: this.#now() };
    this.#unnamed.set(model, made);
    return made;
  }

  #hasRoom(): boolean {
    return this.#unnamed.size < MAX_UNNAMED || this.#leastOfUse() !== undefined;
  }

  /** The model whose circuit was used least recently among those with which nothing is lost. */
  #leastOfUse(): string | undefined {
    for (const [model, circuit] of this.#unnamed) {
      if (this.#isForgotten(circuit) || (circuit.breaker.isClear && !circuit.breaker.isInUse)) return model;
    }
    return undefined;
  }

  /** Whether a circuit refuses nothing, and all that it knows is older than the window. */
  #isForgotten({ breaker, usedAtMs }: Unnamed): boolean {
    return !breaker.isInUse && breaker.refusesForMs() === 0 && this.#now() - usedAtMs >= this.#config.windowMs;
  }

  #newBreaker(): CircuitBreaker {
    return new CircuitBreaker(this.#config, this.#now);
  }
}
