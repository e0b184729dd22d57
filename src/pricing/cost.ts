import { sumNanoUsd } from '../core/money.ts';
import type { Charge } from '../core/money.ts';
import type { TokenUsage } from '../core/ports.ts';
import type { PriceFallback } from './price-fallback.ts';
import type { Factors, Price, PriceEntry, Prices } from './price-file.ts';
import type { PriceTable } from './price-table.ts';
import { busyAt } from './schedule.ts';
import { tokensOf } from './token-counts.ts';
import type { TokenCounts, LikelyTokens } from './token-counts.ts';

/** How sure a cost is: the contract's `CostSource` without its prefix. */
export type CostSource = 'EXACT' | 'ESTIMATED' | 'UNKNOWN';

/** What an attempt cost: the contract's `Cost`. `nanoUsd` is absent exactly where the source is UNKNOWN. */
export interface AttemptCost {
  readonly nanoUsd?: bigint;
  readonly source: CostSource;
  readonly priceTableVersion: string;
}

/** What of an attempt decides its cost. */
export interface PricedAttempt {
  readonly provider: string;
  readonly target: string;
  /** Whether the provider itself answers: what it charges is no price of another server that speaks its API. */
  readonly ownHost: boolean;
  /** The model, or Azure's deployment, that was asked for. */
  readonly model: string;
  /** The model as the provider reported it. */
  readonly reportedModel?: string | undefined;
  readonly usage?: TokenUsage | undefined;
  /** Stands in for the counts that `usage` lacks. */
  readonly estimate?: LikelyTokens | undefined;
  /** When the attempt started, in milliseconds since the epoch. */
  readonly wallMs: number;
  /** Whether the call certainly never reached the provider. */
  readonly neverSent?: boolean | undefined;
}

interface Found {
  readonly entry: PriceEntry | undefined;
  /** Whether it is certain that this is the price of the model that answered. */
  readonly isSure: boolean;
}

interface Picked {
  readonly prices: Prices;
  readonly serviceTiers: Factors;
  readonly isSure: boolean;
}

/** OpenAI's word, Anthropic's, and Groq's. */
const NORMAL_TIERS: ReadonlySet<string> = new Set(['default', 'standard', 'on_demand']);

/** A factor of 1, in billionths. */
const ONE = 1_000_000_000n;

/**
 * Returns what an attempt cost, rounded once, half up. UNKNOWN, never 0, where no price or no count is known; 0 where
 * nothing was sent or the model is free. EXACT needs counts of the provider that agree with each other, and a published price
 * for each kind of token, for the service tier and for the hour. `docs/prices.md` has the rules.
 *
 * @param fallback prices what the table does not know; always ESTIMATED.
 */
export function costOf(table: PriceTable, attempt: PricedAttempt, fallback?: PriceFallback): AttemptCost {
  const priceTableVersion = table.version;
  if (attempt.neverSent === true) {
    return { nanoUsd: 0n, source: 'EXACT', priceTableVersion };
  }
  const { entry, isSure } = findPrice(table, attempt);
  if (entry !== undefined && isFree(entry)) {
    return { nanoUsd: 0n, source: isSure ? 'EXACT' : 'ESTIMATED', priceTableVersion };
  }
  const counts = tokensOf(attempt.usage, attempt.estimate);
  if (counts === undefined) {
    return { source: 'UNKNOWN', priceTableVersion };
  }
  if (entry === undefined) {
    const { provider, model, reportedModel = model, ownHost } = attempt;
    const nanoUsd = ownHost ? fallback?.priceOf(provider, reportedModel, counts) : undefined;
    return nanoUsd === undefined
      ? { source: 'UNKNOWN', priceTableVersion }
      : { nanoUsd, source: 'ESTIMATED', priceTableVersion };
  }
  const bill = billOf(entry, counts, attempt.wallMs, attempt.usage ?? {});
  const isExact = isSure && counts.areReported && bill.isExact;
  return { nanoUsd: bill.nanoUsd, source: isExact ? 'EXACT' : 'ESTIMATED', priceTableVersion };
}

/**
 * Returns what the tokens of an attempt cost at its provider's list price for the usual tier, in nano-USD; undefined where the table
 * has none, or the tokens are not known.
 */
export function listNanoUsdOf(table: PriceTable, attempt: PricedAttempt): bigint | undefined {
  if (attempt.neverSent === true) return 0n;
  const { entry } = findListed(table, attempt);
  if (entry === undefined) return undefined;
  if (isFree(entry)) return 0n;
  const counts = tokensOf(attempt.usage, attempt.estimate);
  return counts && billOf(entry, counts, attempt.wallMs, {}).nanoUsd;
}

/** Whether {@link costOf} reckons with the list price of the usual tier: the configuration sets no other, and no other was served. */
export function isAtListPrice(table: PriceTable, attempt: PricedAttempt): boolean {
  const { serviceTier, region } = attempt.usage ?? {};
  const isUsual = region === undefined && (serviceTier === undefined || NORMAL_TIERS.has(serviceTier));
  return isUsual && overrideOf(table, attempt) === undefined && findListed(table, attempt).entry !== undefined;
}

function overrideOf(table: PriceTable, { target, model, reportedModel }: PricedCall): PriceEntry | undefined {
  return (
    table.override(target, model) ?? (reportedModel === undefined ? undefined : table.override(target, reportedModel))
  );
}

/** What of an attempt decides which price is its. */
type PricedCall = Pick<PricedAttempt, 'provider' | 'target' | 'ownHost' | 'model' | 'reportedModel'>;

/** Finds the price of what an attempt asks for, or of what has answered it. */
export function findPrice(table: PriceTable, attempt: PricedCall): Found {
  const override = overrideOf(table, attempt);
  return override === undefined ? findListed(table, attempt) : { entry: override, isSure: true };
}

function findListed(table: PriceTable, attempt: PricedCall): Found {
  const { provider, model, reportedModel } = attempt;
  if (!attempt.ownHost) return { entry: table.ofAnyModel(provider, model), isSure: true };
  const reported = reportedModel === undefined ? undefined : table.lookup(provider, reportedModel);
  if (reported !== undefined) {
    return { entry: reported, isSure: true };
  }
  if (provider === 'azure-openai') {
    // A deployment has whatever name its owner gave it: only where the answer names no model is that name taken for a model's.
    return { entry: reportedModel === undefined ? table.lookup(provider, model) : undefined, isSure: false };
  }
  return { entry: table.lookup(provider, model), isSure: reportedModel === undefined };
}

function isFree({ prices, tiers, peak }: PriceEntry): boolean {
  return (
    tiers.length === 0 &&
    peak === undefined &&
    prices.input.nano === 0n &&
    prices.cachedInput.nano === 0n &&
    prices.cacheWrite.nano === 0n &&
    prices.cacheWriteLong.nano === 0n &&
    prices.output.nano === 0n
  );
}

function billOf(
  entry: PriceEntry,
  counts: TokenCounts,
  wallMs: number,
  served: Pick<TokenUsage, 'serviceTier' | 'region'>,
): { readonly nanoUsd: bigint; readonly isExact: boolean } {
  const { prices, serviceTiers, isSure } = pick(entry, counts.input, wallMs);
  const charges: Charge[] = [];
  let isConfirmed = true;
  const charge = (tokens: number, { nano, confirmed }: Price): void => {
    if (tokens === 0) return;
    charges.push({ tokens, price: nano });
    isConfirmed &&= confirmed;
  };
  charge(counts.fresh, prices.input);
  charge(counts.cached, prices.cachedInput);
  charge(counts.written, prices.cacheWrite);
  charge(counts.writtenLong, prices.cacheWriteLong);
  charge(counts.output, prices.output);
  const { serviceTier, region } = served;
  const isUsual = serviceTier === undefined || NORMAL_TIERS.has(serviceTier);
  if (isUsual && region === undefined) return { nanoUsd: sumNanoUsd(charges), isExact: isSure && isConfirmed };
  const tier = isUsual ? ONE : serviceTiers.get(serviceTier);
  const place = region === undefined ? ONE : entry.regions.get(region);
  // A tier that has no price with so much input is most likely as much dearer or cheaper as it is with less.
  const likely = tier ?? entry.serviceTiers.get(serviceTier ?? '') ?? ONE;
  return {
    nanoUsd: sumNanoUsd(charges, (likely * (place ?? ONE)) / ONE),
    isExact: isSure && isConfirmed && tier !== undefined && place !== undefined,
  };
}

function pick(entry: PriceEntry, inputTokens: number, wallMs: number): Picked {
  const tier = entry.tiers.findLast(({ aboveInputTokens }) => inputTokens > aboveInputTokens);
  if (tier !== undefined) {
    return { prices: tier.prices, serviceTiers: tier.serviceTiers, isSure: true };
  }
  const busy = entry.peak === undefined ? 'no' : busyAt(entry.peak.schedule, wallMs);
  const isPeak = entry.peak !== undefined && busy !== 'no';
  const prices = isPeak ? entry.peak.prices : entry.prices;
  return { prices, serviceTiers: entry.serviceTiers, isSure: busy !== 'perhaps' };
}
