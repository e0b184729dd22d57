import { snapshotBase } from '../core/model-id.ts';
import { modelKey, ModelMemory } from './model-memory.ts';
import { exactPrices, parsePriceFile } from './price-file.ts';
import type { Factors, PriceEntry, PriceFile, PricedModel } from './price-file.ts';
import { dayOf } from './schedule.ts';
import bundled from './prices.json' with { type: 'json' };

/** A price that the configuration sets for one model of a target: decimal USD per million tokens. */
export interface OverridePrice {
  /** The model, or Azure's deployment, as it is asked for or as the provider reports it. */
  readonly model: string;
  readonly input: string;
  /** Absent: as input, and what it makes is an estimate. */
  readonly cachedInput?: string | undefined;
  /** Absent: as input, and what it makes is an estimate. */
  readonly cacheWrite?: string | undefined;
  readonly output: string;
}

/** Options of {@link createPriceTable}. */
export interface PriceTableOptions {
  /** Prices from the configuration, by target; they win over the table. Default: none. */
  readonly overrides: readonly { readonly target: string; readonly prices: readonly OverridePrice[] }[];
  /** The price file, parsed from JSON. Default: the one that ships with the gateway. */
  readonly file: unknown;
  /** Prices that an operator keeps: they stand in place of the file's of the same ids, and beside the others. Default: none. */
  readonly own: PriceFile | undefined;
}

/** Prices by exact model id. */
export interface PriceTable {
  /** Version of the price file; where an operator keeps prices, theirs and the file's with a `+` between. */
  readonly version: string;
  /** When a price of the table, or of the operator's where there are such, was last checked: milliseconds since the epoch, of a day. */
  readonly checkedAtMs: number;
  /**
   * Returns the price of a model: by its id, an alias, the id that it is a dated snapshot of, or the provider's one price for
   * all models. Azure OpenAI has OpenAI's prices.
   */
  lookup(provider: string, model: string): PriceEntry | undefined;
  /**
   * Returns the price of a model whose provider has one for all of its models, wherever it runs (Ollama, the mock); undefined
   * elsewhere, and for models that an Ollama fetches from its maker's cloud, which are not free.
   */
  ofAnyModel(provider: string, model: string): PriceEntry | undefined;
  /** Returns the price that the configuration sets for a model of a target. */
  override(target: string, model: string): PriceEntry | undefined;
}

const ANY_MODEL = '*';
/** As in `gpt-oss:120b-cloud` and `glm-5.3:cloud`. Source: https://docs.ollama.com/cloud */
const CLOUD_MODEL = /[:-]cloud$/;
const DAY_MS = 86_400_000;
const NO_FACTORS: Factors = new Map();

/**
 * Makes the price table.
 *
 * @throws RangeError naming what is malformed in the file or in an override, and where two entries have one id.
 */
export function createPriceTable(options: Partial<PriceTableOptions> = {}): PriceTable {
  const { own } = options;
  const file = parsePriceFile(options.file === undefined ? bundled : options.file);
  const byId = new Map([...indexOf(file.models), ...indexOf(own?.models ?? [])]);
  const overrides = new Map<string, Map<string, PriceEntry>>();
  for (const { target, prices } of options.overrides ?? []) {
    const ofTarget = overrides.get(target) ?? new Map<string, PriceEntry>();
    overrides.set(target, ofTarget);
    for (const published of prices) {
      const entry = {
        prices: exactPrices(published),
        published,
        tiers: [],
        serviceTiers: NO_FACTORS,
        regions: NO_FACTORS,
      };
      ofTarget.set(published.model, entry);
    }
  }

  const named = (provider: string, model: string): PricedModel | undefined => {
    const exact = byId.get(modelKey(provider, model));
    const base = exact === undefined ? snapshotBase(provider, model) : undefined;
    return base === undefined ? exact : byId.get(modelKey(provider, base));
  };
  const ofAnyModel = (provider: string, model: string): PricedModel | undefined =>
    provider === 'ollama' && CLOUD_MODEL.test(model) ? undefined : byId.get(modelKey(provider, ANY_MODEL));
  const found = new ModelMemory((provider, model) => named(provider, model) ?? ofAnyModel(provider, model));
  return {
    version: own === undefined ? file.version : `${own.version}+${file.version}`,
    checkedAtMs: Math.max(...(own ?? file).models.map(({ date }) => DAY_MS * dayOf(date))),
    lookup: (provider, model) => found.of(provider === 'azure-openai' ? 'openai' : provider, model),
    ofAnyModel,
    override: (target, model) => overrides.get(target)?.get(model),
  };
}

function indexOf(models: readonly PricedModel[]): ReadonlyMap<string, PricedModel> {
  const index = new Map<string, PricedModel>();
  for (const model of models) {
    for (const id of [model.model, ...model.aliases]) {
      const key = modelKey(model.provider, id);
      if (index.has(key)) {
        throw new RangeError(`two prices for ${key}`);
      }
      index.set(key, model);
    }
  }
  return index;
}
