import type { TargetConfig } from './config/config.ts';
import type { DefaultModels } from './default-models.ts';
import type { RouteTarget } from './engine/route.ts';
import type { ModelLists } from './model-lists.ts';
import type { ModelFacts } from './providers/model-facts.ts';
import { modelFacts } from './providers/model-facts.ts';

/** What is known of the models of targets: from the configuration, the catalogue, and the targets' own lists, in this order. */
export class KnownModels {
  readonly #targets: ReadonlyMap<string, TargetConfig>;
  readonly #defaults: DefaultModels;
  readonly #lists: ModelLists;

  constructor(targets: readonly TargetConfig[], defaults: DefaultModels, lists: ModelLists) {
    this.#targets = new Map(targets.map((target) => [target.name, target]));
    this.#defaults = defaults;
    this.#lists = lists;
  }

  /** Returns what is known of a model of a target; undefined where nothing is. */
  facts(target: string, model: string): ModelFacts | undefined {
    const provider = this.#targets.get(target)?.provider;
    return provider === undefined ? undefined : (modelFacts(provider, model) ?? this.#lists.find(target, model));
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

  /**
   * Sees to it that lists are read which could help a request that names a model that nobody has. The request itself does not
   * wait for them.
   */
  wanted(model: string): void {
    if (model === '') return;
    const isKnown = [...this.#targets.values()].some(
      ({ name, models }) => models.includes(model) || this.facts(name, model) !== undefined,
    );
    if (!isKnown) this.#lists.readSoon();
  }
}
