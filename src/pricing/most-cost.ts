import type { CostBounds } from '../core/money.ts';
import { sumNanoUsd } from '../core/money.ts';
import { findPrice, type PricedAttempt } from './cost.ts';
import type { PriceFallback } from './price-fallback.ts';
import type { PriceEntry, Prices } from './price-file.ts';
import type { PriceTable } from './price-table.ts';

/** A factor of 1, in billionths. */
const ONE = 1_000_000_000n;

/** How far a prompt may be above its estimate. */
const PROMPT_MARGIN = 1.25;

/** What may be asked and answered. */
export interface MostTokens {
  /** As estimated. */
  readonly prompt: number;
  readonly answer: number;
  /** Whether the request bounds its answer; otherwise `answer` is a guess. */
  readonly isBounded: boolean;
  /** Service tiers that the request asks for, in the provider's words. */
  readonly serviceTiers: readonly string[];
}

/**
 * Returns what an attempt costs at most: the prompt a quarter longer than estimated, all of it written to a cache where that is dearer,
 * at the dearest of the tiers and hours that may apply. Undefined where no price is known.
 */
export function mostCost(
  table: PriceTable,
  asked: Pick<PricedAttempt, 'provider' | 'target' | 'ownHost' | 'model'>,
  { prompt, answer, isBounded, serviceTiers }: MostTokens,
  fallback?: PriceFallback,
): CostBounds | undefined {
  const input = Math.ceil(prompt * PROMPT_MARGIN);
  const { entry } = findPrice(table, asked);
  if (entry === undefined) {
    const priceOf = (inputTokens: number, output: number): bigint | undefined =>
      fallback?.priceOf(asked.provider, asked.model, {
        input: inputTokens,
        fresh: inputTokens,
        cached: 0,
        written: 0,
        writtenLong: 0,
        output,
        areReported: false,
      });
    const most = asked.ownHost ? priceOf(input, answer) : undefined;
    if (most === undefined) return undefined;
    if (isBounded) return { most, least: most };
    const price = priceOf(0, 1_000_000);
    return {
      most,
      least: priceOf(prompt, 0) ?? most,
      open: price === undefined ? undefined : { tokens: Math.ceil(answer), price },
    };
  }
  const { inputPrice, outputPrice } = dearest(entry, input);
  const charges = [
    { tokens: input, price: inputPrice },
    { tokens: Math.ceil(answer), price: outputPrice },
  ];
  const factor = serviceTiers.reduce((most, tier) => max(most, entry.serviceTiers.get(tier) ?? ONE), ONE);
  const most = sumNanoUsd(charges, factor);
  if (isBounded) return { most, least: most };
  return {
    most,
    least: sumNanoUsd([{ tokens: prompt, price: entry.prices.input.nano }]),
    open: { tokens: Math.ceil(answer), price: (outputPrice * factor) / ONE },
  };
}

function dearest({ prices, peak, tiers }: PriceEntry, inputTokens: number) {
  let inputPrice = dearestInput(prices);
  let outputPrice = prices.output.nano;
  const weigh = (other: Prices): void => {
    inputPrice = max(inputPrice, dearestInput(other));
    outputPrice = max(outputPrice, other.output.nano);
  };
  if (peak !== undefined) weigh(peak.prices);
  for (const tier of tiers) if (inputTokens > tier.aboveInputTokens) weigh(tier.prices);
  return { inputPrice, outputPrice };
}

function dearestInput({ input, cachedInput, cacheWrite, cacheWriteLong }: Prices): bigint {
  return max(max(input.nano, cachedInput.nano), max(cacheWrite.nano, cacheWriteLong.nano));
}

function max(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
