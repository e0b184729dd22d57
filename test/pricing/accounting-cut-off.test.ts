import { describe, expect, test } from 'vitest';

import { CostSource } from '../../gen/understudy/v1/usage_pb.ts';
import type { Cost } from '../../gen/understudy/v1/usage_pb.ts';
import { Accounting } from '../../src/pricing/accounting.ts';
import type { AttemptRecord } from '../../src/engine/port/call.ts';
import { afterCommit, clientCancelled, slowReader } from '../../src/engine/port/failures.ts';
import { PriceFallback } from '../../src/pricing/price-fallback.ts';
import { createPriceTable } from '../../src/pricing/price-table.ts';
import { entryOf } from '../support/engine-harness.ts';
import { failure } from '../support/upstream-scripts.ts';

/** A dollar for a million tokens of input, ten for output: 1,000 and 10,000 nano-USD a token. */
const PRICES = [{ model: 'a-model', input: '1', output: '10' }];
const SIZE = { bytes: 400, messages: 1, mediaTokens: 0 };

function accounting(): Accounting {
  const prices = createPriceTable({ overrides: [{ target: 'a', prices: PRICES }] });
  return new Accounting(prices, new PriceFallback(() => import('@pydantic/genai-prices')), () => 0);
}

function attempt(changes: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    number: 1,
    kind: 'FIRST',
    entry: entryOf('a'),
    httpStatus: 200,
    startedAtWallMs: 0,
    startedAfterMs: 0,
    durationMs: 10,
    firstOutputMs: 5,
    waitBeforeMs: 0,
    outputBytes: 35,
    sliceMs: 1_000,
    phase: 'FLOWING',
    ...changes,
  };
}

function priced(changes: Partial<AttemptRecord> = {}): Cost | undefined {
  return accounting().account(attempt(changes), SIZE);
}

/** The estimate of the prompt in nano-USD: what an attempt costs that gave nothing. */
function promptCost(): bigint {
  return priced({ outputBytes: 0, failure: failure('silence'), phase: 'CONNECTING' })?.nanoUsd ?? 0n;
}

describe('an attempt that may have reached its provider has a cost', () => {
  test('as reported, where the answer is complete', () => {
    const cost = priced({ usage: { inputTokens: 100, outputTokens: 20 }, phase: 'TAIL' });
    expect(cost).toMatchObject({ nanoUsd: 300_000n, source: CostSource.EXACT });
  });

  test.each([
    { name: 'the caller cancelled', told: clientCancelled() },
    { name: 'the caller did not read', told: slowReader() },
    { name: 'the stream broke off', told: afterCommit(failure('reset')) },
    { name: 'the answer was thrown away', told: failure('overload') },
  ])('estimated from the prompt and what was delivered, where $name', ({ told }) => {
    expect(priced({ failure: told })).toMatchObject({
      nanoUsd: promptCost() + 10n * 10_000n,
      source: CostSource.ESTIMATED,
    });
  });

  test('of what was counted so far, if that is more than what was delivered; never taken for the whole', () => {
    const counted = { inputTokens: 100, outputTokens: 12 };
    const cost = priced({ failure: clientCancelled(), usage: counted });
    expect(cost).toMatchObject({ nanoUsd: 100_000n + 120_000n, source: CostSource.ESTIMATED });
    const behind = priced({ failure: clientCancelled(), usage: { inputTokens: 100, outputTokens: 1 } });
    expect(behind).toMatchObject({ nanoUsd: 100_000n + 100_000n, source: CostSource.ESTIMATED });
  });

  test('as reported, where the caller left behind the end marker', () => {
    const usage = { inputTokens: 100, outputTokens: 2 };
    const cost = priced({ failure: clientCancelled(), usage, phase: 'TAIL' });
    expect(cost).toMatchObject({ nanoUsd: 120_000n, source: CostSource.EXACT });
  });

  test('of its prompt, where it was given up before any output', () => {
    expect(promptCost()).toBeGreaterThan(0n);
    const cancelled = priced({ outputBytes: 0, failure: clientCancelled(), phase: 'GATED' });
    expect(cancelled).toMatchObject({ nanoUsd: promptCost(), source: CostSource.ESTIMATED });
  });

  test('of nothing, where it was never sent or answered with an error status', () => {
    const zero = { nanoUsd: 0n, source: CostSource.EXACT };
    expect(priced({ outputBytes: 0, failure: failure('connect') })).toMatchObject(zero);
    expect(priced({ outputBytes: 0, failure: failure('overload'), httpStatus: 503 })).toMatchObject(zero);
  });

  test('once: a skip has none, and the same record again adds nothing', () => {
    const book = accounting();
    expect(book.account(attempt({ kind: 'SKIPPED' }), SIZE)).toBeUndefined();
    const record = attempt({ usage: { inputTokens: 100, outputTokens: 20 }, phase: 'TAIL' });
    const cost = book.account(record, SIZE);
    expect(book.account(record, SIZE)).toBe(cost);
    expect(book.costOfTarget('a')).toBe(300_000n);
    book.account(attempt({ usage: { inputTokens: 100, outputTokens: 20 }, phase: 'TAIL' }), SIZE);
    expect(book.costOfTarget('a')).toBe(600_000n);
  });
});
