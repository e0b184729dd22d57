import { expect, it } from 'vitest';
import { costOf } from '../../src/pricing/cost.ts';
import type { CostSource, PricedAttempt } from '../../src/pricing/cost.ts';
import { createPriceTable } from '../../src/pricing/price-table.ts';

/** Tokens of a bill: `input` is all input, `written` all cache writes, `long` those of them with the long lifetime. */
interface Tokens {
  readonly input: number;
  readonly cached?: number;
  readonly written?: number;
  readonly long?: number;
  readonly output?: number;
  readonly tier?: string;
  readonly region?: string;
}

/** A bill reckoned by hand. */
export interface Bill {
  readonly what: string;
  readonly attempt: PricedAttempt;
  readonly nanoUsd: bigint | undefined;
  readonly source: CostSource;
}

/** A Sunday: off-peak whatever the hour. */
const SUNDAY = Date.UTC(2026, 10, 22, 2, 0);

const table = createPriceTable({
  overrides: [
    {
      target: 'azure-eu',
      prices: [
        { model: 'my-deployment', input: '2.20', cachedInput: '0.22', cacheWrite: '2.75', output: '11' },
        { model: 'gpt-4.1', input: '2.20', output: '8.80' },
        { model: 'half', input: '0.0005', output: '0.000499999' },
      ],
    },
  ],
});

/** Writes down a bill for `provider/model` on a Sunday; absent amount: unknown. */
export function bill(
  what: string,
  asked: string,
  tokens: Tokens | undefined,
  nanoUsd: bigint | undefined,
  source: CostSource = 'EXACT',
  more: Partial<PricedAttempt> = {},
): Bill {
  const [provider = '', model = ''] = asked.split('/');
  const usage = tokens && {
    inputTokens: tokens.input,
    cachedInputTokens: tokens.cached,
    cacheWriteTokens: tokens.written,
    cacheWriteLongTokens: tokens.long,
    outputTokens: tokens.output,
    serviceTier: tokens.tier,
    region: tokens.region,
  };
  const attempt = { provider, target: provider, ownHost: true, model, usage, wallMs: SUNDAY, ...more };
  return { what, attempt, nanoUsd, source };
}

/** Checks every bill against the table that ships with the gateway and some overrides for the target `azure-eu`. */
export function checkBills(bills: readonly Bill[]): void {
  it.each(bills)('$what', ({ attempt, nanoUsd, source }) => {
    expect(costOf(table, attempt)).toStrictEqual({
      ...(nanoUsd === undefined ? {} : { nanoUsd }),
      source,
      priceTableVersion: table.version,
    });
  });
}
