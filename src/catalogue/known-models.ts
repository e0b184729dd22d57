import type { TargetConfig } from '../config/port/resolved.ts';
import type { DefaultModels } from './default-models.ts';
import type { RouteTarget } from '../engine/route/route.ts';
import type { TargetSnapshot } from '../engine/target/state.ts';
import type { TargetLists } from './target-lists.ts';
import type { ModelFacts } from '../providers/port/model-facts.ts';
import { modelFacts } from '../providers/models/catalogued-models.ts';

/** Names of models that requests have named are remembered up to so many: callers can name others without end. */
const MOST_REMEMBERED = 1_000;

/**
 * What is known of the models of targets: from the configuration, the catalogue, and the targets' own lists, in this order. The
 * catalogue speaks of a provider's models on its own hosts; another server may answer by the same names with anything.
 */
export class KnownModels {
  readonly #targets: ReadonlyMap<string, TargetConfig>;
  readonly #defaults: DefaultModels;
  readonly #lists: TargetLists;
  /** Whether any target is known to have a model, of those that requests have named, by what was learnt at last. */
  readonly #isKnown = new Map<string, boolean>();
  #learntAtLast = 0;

  constructor(targets: readonly TargetConfig[], defaults: DefaultModels, lists: TargetLists) {
    this.#targets = new Map(targets.map((target) => [target.name, target]));
    this.#defaults = defaults;
    this.#lists = lists;
  }

  /** How often something was learnt of the models of targets since the start. */
  get learnt(): number {
    return this.#defaults.learnt + this.#lists.learnt;
  }

  /** Returns what is known of a model of a target; undefined where nothing is. */
  facts(target: string, model: string): ModelFacts | undefined {
    const config = this.#targets.get(target);
    if (config === undefined) return undefined;
    const { provider, ownHost } = config;
    return (ownHost ? modelFacts(provider, model) : undefined) ?? this.#lists.find(target, model);
  }

  /** Makes a target as routing sees it. */
  routeTarget(config: TargetConfig): RouteTarget {
    const { name, provider } = config;
    const defaults = this.#defaults;
    const configured = new Set(config.models);
    return {
      name,
      provider,
      get model() {
        return defaults.of(config);
      },
      isConfigured: (id) => configured.has(id) || id === defaults.of(config),
      has: (id) => configured.has(id) || this.facts(name, id) !== undefined,
      contextWindow: (id) => this.facts(name, id)?.contextWindow,
    };
  }

  /** Whether a model of a target has a circuit of its own: it is configured or catalogued. */
  hasCircuit(target: string, model: string): boolean {
    const config = this.#targets.get(target);
    return config !== undefined && (this.#isConfigured(config, model) || this.facts(target, model) !== undefined);
  }

  /** Returns a snapshot without the circuits of models that are not configured: nobody may ever ask for them again. */
  ofNamedModels(snapshot: TargetSnapshot): TargetSnapshot {
    const config = this.#targets.get(snapshot.target);
    if (config === undefined) return { ...snapshot, circuits: [] };
    const choosesItself = this.#defaults.of(config) === '';
    const circuits = snapshot.circuits.filter(({ circuit }) => choosesItself || this.#isConfigured(config, circuit));
    return { ...snapshot, circuits };
  }

  #isConfigured(config: TargetConfig, model: string): boolean {
    return config.models.includes(model) || model === this.#defaults.of(config);
  }

  /**
   * Hears which model a request names. Where no target is known to have it, the lists of the targets are read soon, for later
   * requests; this one does not wait.
   */
  readListsFor(model: string): void {
    if (model === '') return;
    if (!this.#isKnownAnywhere(model)) this.#lists.readSoon();
  }

  #isKnownAnywhere(model: string): boolean {
    const { learnt } = this;
    if (learnt !== this.#learntAtLast || this.#isKnown.size === MOST_REMEMBERED) this.#isKnown.clear();
    this.#learntAtLast = learnt;
    const isKnown =
      this.#isKnown.get(model) ??
      this.#targets
        .values()
        .some(({ name, models }) => models.includes(model) || this.facts(name, model) !== undefined);
    this.#isKnown.set(model, isKnown);
    return isKnown;
  }
}
