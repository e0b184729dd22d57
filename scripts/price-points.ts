import { formatNano, parseNano } from '../src/core/money.ts';

// Prices of the table and of public price maps, point by point, so that they can be held against each other.

/** Kinds of tokens, in the names of the price file. */
const KINDS = ['input', 'cached_input', 'cache_write', 'cache_write_long', 'output'] as const;
type Kind = (typeof KINDS)[number];

/** An entry of the price file, as far as prices are compared. */
export interface TableEntry {
  readonly provider: string;
  readonly model: string;
  readonly prices: TablePrices;
  readonly tiers?: readonly {
    readonly above_input_tokens: number;
    readonly prices: TablePrices;
    readonly service_tiers?: Readonly<Record<string, string>>;
  }[];
  readonly peak?: { readonly prices: TablePrices };
  readonly service_tiers?: Readonly<Record<string, string>>;
  readonly regions?: Readonly<Record<string, string>>;
}

type TablePrices = Readonly<Partial<Record<Kind, string>>>;

/** Where a price stands: a context (`base`, `above 272k`, `busy`), a service tier or region (`flex`, `region us`), a kind of token. */
export type PricePoints = ReadonlyMap<string, bigint>;

const USUAL = 'usual';
const ONE = 1_000_000_000n;

/** Returns every price of an entry in nano-USD for a million tokens, by where it stands. */
export function pointsOfEntry(entry: TableEntry): PricePoints {
  const points = new Map<string, bigint>();
  const add = (context: string, prices: TablePrices, factors: Readonly<Record<string, string>> = {}): void => {
    for (const [tier, factor] of [[USUAL, '1'] as const, ...Object.entries(factors)]) {
      for (const kind of KINDS) {
        const price = prices[kind];
        if (price === undefined) continue;
        points.set(pointOf(context, tier, kind), (parseNano(price) * parseNano(factor)) / ONE);
      }
    }
  };
  const regions = Object.fromEntries(
    Object.entries(entry.regions ?? {}).map(([name, factor]) => [`region ${name}`, factor]),
  );
  add('base', entry.prices, { ...entry.service_tiers, ...regions });
  for (const tier of entry.tiers ?? []) {
    const serviceTiers = tier.service_tiers ?? entry.service_tiers;
    add(contextOf(tier.above_input_tokens), tier.prices, { ...serviceTiers, ...regions });
  }
  if (entry.peak !== undefined) add('busy', entry.peak.prices);
  return points;
}

/** LiteLLM's names of service tiers, and ours; it has OpenAI's `fast` as `priority`. */
const LITELLM_TIERS: Readonly<Record<string, string>> = {
  flex: 'flex',
  batches: 'batch',
  priority: 'priority',
  ultrafast: 'ultrafast',
  balanced: 'balanced',
};
const LITELLM_FIELD =
  /^(input_cost_per_token|output_cost_per_token|cache_read_input_token_cost|cache_creation_input_token_cost)(_above_1hr|_above_12hr)?(?:_above_(\d+)k_tokens)?(?:_(flex|batches|priority|ultrafast|balanced))?$/;
const LITELLM_KINDS: Readonly<Record<string, Kind>> = {
  input_cost_per_token: 'input',
  output_cost_per_token: 'output',
  cache_read_input_token_cost: 'cached_input',
  cache_creation_input_token_cost: 'cache_write',
};

/** Returns what LiteLLM's map says of a model, from the object that it has of it; a price of 0 says nothing. */
export function pointsOfLiteLlm(fields: Readonly<Record<string, unknown>>): PricePoints {
  const points = new Map<string, bigint>();
  for (const [name, value] of Object.entries(fields)) {
    const [, field = '', long, thousands, tier] = LITELLM_FIELD.exec(name) ?? [];
    const kind = LITELLM_KINDS[field];
    if (kind === undefined || typeof value !== 'number' || value === 0) continue;
    const context = thousands === undefined ? 'base' : contextOf(Number(thousands) * 1_000);
    const own = tier === undefined ? USUAL : (LITELLM_TIERS[tier] ?? tier);
    points.set(pointOf(context, own, long === undefined ? kind : 'cache_write_long'), BigInt(Math.round(value * 1e15)));
  }
  const multiplied = fields['provider_specific_entry'];
  if (typeof multiplied !== 'object' || multiplied === null) return points;
  const usual = [...points].filter(([point]) => point.includes(` ${USUAL} `));
  for (const [name, factor] of Object.entries(multiplied)) {
    if (typeof factor !== 'number') continue;
    const tier = name === 'fast' ? name : `region ${name}`;
    for (const [point, nano] of usual) {
      points.set(point.replace(` ${USUAL} `, ` ${tier} `), (nano * BigInt(Math.round(factor * 1e9))) / ONE);
    }
  }
  return points;
}

const GENAI_KINDS = {
  input_mtok: 'input',
  cache_read_mtok: 'cached_input',
  cache_write_mtok: 'cache_write',
  cache_write_1h_mtok: 'cache_write_long',
  output_mtok: 'output',
} as const satisfies Readonly<Record<string, Kind>>;

/**
 * Returns what genai-prices says of a model: `price` is its `model_price`, where each price is a number, a text, or an object with
 * `base` and `tiers`. It has no service tiers.
 */
export function pointsOfGenAi(price: Readonly<Record<string, unknown>>, context = 'base'): PricePoints {
  const points = new Map<string, bigint>();
  for (const [name, kind] of Object.entries(GENAI_KINDS)) {
    const value = price[name];
    if (typeof value !== 'object' || value === null) {
      if (value !== undefined && value !== null) points.set(pointOf(context, USUAL, kind), nanoOf(value));
      continue;
    }
    points.set(pointOf(context, USUAL, kind), nanoOf(Reflect.get(value, 'base')));
    const tiers: unknown = Reflect.get(value, 'tiers');
    for (const tier of Array.isArray(tiers) ? tiers : []) {
      const fields = tier as Readonly<Record<string, unknown>>;
      points.set(pointOf(contextOf(Number(fields['start'])), USUAL, kind), nanoOf(fields['price']));
    }
  }
  return points;
}

/** What a map says otherwise than the table: prices in USD for a million tokens, a dash where there is none. */
export interface Difference {
  readonly point: string;
  readonly ours: string;
  readonly theirs: string;
}

/**
 * Returns where a map has another price than the table, or one that the table lacks. What the map lacks is no difference, and
 * neither is a context that it does not know of, where the table has none.
 */
export function differences(ours: PricePoints, theirs: PricePoints): readonly Difference[] {
  return [...theirs]
    .filter(([point, nano]) => ours.get(point) !== nano)
    .map(([point, nano]) => ({ point, ours: usd(ours.get(point)), theirs: usd(nano) }));
}

function usd(nano: bigint | undefined): string {
  return nano === undefined ? '–' : formatNano(nano);
}

function nanoOf(value: unknown): bigint {
  return BigInt(Math.round(Number(value) * 1e9));
}

function contextOf(aboveTokens: number): string {
  return `above ${aboveTokens / 1_000}k`;
}

function pointOf(context: string, tier: string, kind: Kind): string {
  return `${context}, ${tier} ${kind}`;
}
