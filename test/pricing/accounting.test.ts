import { describe, expect, it } from 'vitest';

import { CostSource } from '../../gen/understudy/v1/usage_pb.ts';
import { Accounting } from '../../src/pricing/accounting.ts';
import type { Failure } from '../../src/core/failure.ts';
import type { TokenUsage } from '../../src/core/ports.ts';
import type { AttemptRecord, ChainEntry } from '../../src/engine/port/call.ts';
import { PriceFallback } from '../../src/pricing/price-fallback.ts';
import { createPriceTable } from '../../src/pricing/price-table.ts';

/** A Sunday: no price is that of busy hours. */
const SUNDAY = Date.UTC(2026, 10, 22, 12, 0);

/** 3,500 bytes and one message: 1,000 + 4 tokens, as long as nothing was learned. */
const SIZE = { bytes: 3_500, messages: 1, mediaTokens: 0 };

const SONNET: ChainEntry = entryOf('anthropic', 'claude-sonnet-5');
const GPT: ChainEntry = entryOf('openai', 'gpt-6-sol');
const REPORTED: TokenUsage = { inputTokens: 2_000, outputTokens: 300 };

function entryOf(provider: string, model: string, target = provider): ChainEntry {
  return { target, provider, model, circuit: model, modelNamedByCaller: false };
}

function newAccounting(targets: ConstructorParameters<typeof Accounting>[3] = []): Accounting {
  const table = createPriceTable({
    overrides: [
      { target: 'cheap', prices: [{ model: 'm', input: '1', cachedInput: '1', cacheWrite: '1', output: '2' }] },
    ],
  });
  return new Accounting(table, new PriceFallback(() => Promise.reject(new Error('no library'))), () => SUNDAY, targets);
}

function record(more: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    number: 1,
    kind: 'FIRST',
    entry: GPT,
    httpStatus: 200,
    startedAtWallMs: SUNDAY,
    startedAfterMs: 0,
    durationMs: 10,
    waitBeforeMs: 0,
    outputBytes: 0,
    sliceMs: 1_000,
    phase: 'SETTLED',
    ...more,
  };
}

function failed(failure: Partial<Failure>, more: Partial<AttemptRecord> = {}): AttemptRecord {
  const whole: Failure = { class: 'reset', reason: 'PROVIDER_UNAVAILABLE', message: 'It failed.', ...failure };
  return record({ failure: whole, ...more });
}

const SOURCES = ['EXACT', 'ESTIMATED', 'UNKNOWN'] as const;

/** Amount and source of one attempt, by a new accounting. */
function costOf(attempt: AttemptRecord): readonly [bigint | undefined, string | undefined] {
  const cost = newAccounting().account(attempt, SIZE);
  return [cost?.nanoUsd, SOURCES.find((name) => CostSource[name] === cost?.source)];
}

describe('the cost of an attempt', () => {
  it('is exact where it succeeded and the provider has counted', () => {
    // 2,000 x 2,000 + 300 x 10,000
    expect(costOf(record({ usage: REPORTED, reportedModel: 'gpt-6-sol', outputBytes: 1_000 }))).toEqual([
      7_000_000n,
      'EXACT',
    ]);
  });

  it('is estimated from the prompt and the output that came where the usage was lost', () => {
    // 1,004 x 2,000 + 100 x 10,000
    const lost = [3_008_000n, 'ESTIMATED'];
    expect(costOf(record({ outputBytes: 350 }))).toEqual(lost);
    expect(costOf(failed({ class: 'interrupted', reason: 'STREAM_INTERRUPTED' }, { outputBytes: 350 }))).toEqual(lost);
    expect(costOf(failed({ class: 'client_cancel', reason: 'CANCELLED' }, { outputBytes: 350 }))).toEqual(lost);
  });

  it('is estimated from what is missing alone where one count was reported', () => {
    // 2,000 x 2,000 + 100 x 10,000
    expect(costOf(failed({}, { usage: { inputTokens: 2_000 }, outputBytes: 350 }))).toEqual([5_000_000n, 'ESTIMATED']);
  });

  it('is that of the prompt where nothing came back after it was sent', () => {
    const prompt = [2_008_000n, 'ESTIMATED'];
    const silent = { httpStatus: undefined, phase: 'CONNECTING' } as const;
    expect(costOf(failed({ class: 'silence', reason: 'PROVIDER_TIMEOUT' }, silent))).toEqual(prompt);
    expect(costOf(failed({ class: 'stale_socket' }, silent))).toEqual(prompt);
  });

  it.each([302, 400, 401, 404, 429, 499, 500, 503, 529])('is nothing, exactly, after a status of %i', (httpStatus) => {
    expect(costOf(failed({ class: 'overload', httpStatus }, { httpStatus }))).toEqual([0n, 'EXACT']);
  });

  it('is that of the prompt where a filter has refused it: its evaluation is billed', () => {
    const refused = failed({ class: 'content', reason: 'PROMPT_BLOCKED', httpStatus: 400 }, { httpStatus: 400 });
    expect(costOf(refused)).toEqual([2_008_000n, 'ESTIMATED']);
  });

  it('is nothing, exactly, where the call was never sent', () => {
    const unsent = { httpStatus: undefined, phase: 'CONNECTING' } as const;
    expect(costOf(failed({ class: 'connect', neverSent: true }, unsent))).toEqual([0n, 'EXACT']);
  });

  it('is unknown, and not nothing, where no price is', () => {
    const attempt = record({ entry: entryOf('openai', 'a-model-of-nobody'), usage: REPORTED });
    expect(costOf(attempt)).toEqual([undefined, 'UNKNOWN']);
  });

  it('goes by the service tier that was served', () => {
    const usage = { ...REPORTED, serviceTier: 'flex' };
    expect(costOf(record({ usage, reportedModel: 'gpt-6-sol' }))).toEqual([3_500_000n, 'EXACT']);
    // (2,000 x 2,000 + 300 x 10,000) x 1.1, and a region whose surcharge nobody tells.
    const claude = (region: string) => record({ entry: SONNET, usage: { ...REPORTED, region } });
    expect(costOf(claude('us'))).toEqual([7_700_000n, 'EXACT']);
    expect(costOf(claude('eu'))).toEqual([7_000_000n, 'ESTIMATED']);
  });

  it('is unknown at another host than the provider’s, unless the configuration has a price', () => {
    const targets = [
      { name: 'openai', ownHost: false },
      { name: 'cheap', ownHost: false },
    ];
    const accounting = newAccounting(targets);
    expect(accounting.account(record({ usage: REPORTED }), SIZE)).toMatchObject({ source: CostSource.UNKNOWN });
    expect(accounting.isWithin(1_000, GPT, SIZE, 1)).toBe(false);
    const cheap = entryOf('openai', 'm', 'cheap');
    // 2,000 x 1,000 + 300 x 2,000
    expect(accounting.account(record({ entry: cheap, usage: REPORTED }), SIZE)).toMatchObject({
      nanoUsd: 2_600_000n,
      source: CostSource.EXACT,
    });
    expect(accounting.isWithin(1_000, cheap, SIZE, 1)).toBe(true);
  });

  it('of a target that was passed over is none', () => {
    expect(newAccounting().account(record({ kind: 'SKIPPED' }), SIZE)).toBeUndefined();
  });
});

describe('counts that cannot be true', () => {
  const SEEN = { entry: GPT, reportedModel: 'gpt-6-sol', outputBytes: 350 };
  const accounted = (usage: TokenUsage, more: Partial<AttemptRecord> = {}) => {
    const accounting = newAccounting();
    const attempt = record({ ...SEEN, usage, ...more });
    return { cost: accounting.account(attempt, SIZE), usage: accounting.estimatedUsage(attempt) };
  };

  it.each<[string, TokenUsage, bigint, number, number]>([
    // 1,004 x 2,000 + 100 x 10,000
    ['all zero', { inputTokens: 0, outputTokens: 0, totalTokens: 0 }, 3_008_000n, 1_004, 100],
    // 1,004 x 2,000 + 7 x 10,000
    ['no input', { inputTokens: 0, outputTokens: 7, totalTokens: 7 }, 2_078_000n, 1_004, 7],
    // 50 x 2,000 + 100 x 10,000
    ['no output of an answer with text', { inputTokens: 50, outputTokens: 0, totalTokens: 50 }, 1_100_000n, 50, 100],
    ['input alone', { inputTokens: 50 }, 1_100_000n, 50, 100],
  ])('are estimated: %s', (_, usage, nanoUsd, inputTokens, outputTokens) => {
    const told = accounted(usage);
    expect(told.cost).toMatchObject({ nanoUsd, source: CostSource.ESTIMATED });
    expect(told.usage).toEqual({ inputTokens, outputTokens, totalTokens: undefined });
  });

  it('are not those of an answer with nothing in it, nor of a free model', () => {
    const empty = accounted({ inputTokens: 50, outputTokens: 0 }, { outputBytes: 0 });
    expect(empty.cost).toMatchObject({ nanoUsd: 100_000n, source: CostSource.EXACT });
    expect(empty.usage).toBeUndefined();
    const free = accounted({ inputTokens: 0, outputTokens: 0 }, { entry: entryOf('ollama', 'qwen3') });
    expect(free.cost).toMatchObject({ nanoUsd: 0n, source: CostSource.EXACT });
    expect(free.usage).toMatchObject({ inputTokens: 1_004, outputTokens: 100 });
  });

  it('are told of answers alone: what has failed keeps what was reported', () => {
    const attempt = failed({}, { usage: { inputTokens: 0, outputTokens: 0 }, outputBytes: 350 });
    const accounting = newAccounting();
    expect(accounting.account(attempt, SIZE)).toMatchObject({ nanoUsd: 3_008_000n, source: CostSource.ESTIMATED });
    expect(accounting.estimatedUsage(attempt)).toBeUndefined();
  });

  it('teach nothing of the length of prompts', () => {
    const accounting = newAccounting();
    accounting.account(record({ ...SEEN, usage: { inputTokens: 0, outputTokens: 0 } }), SIZE);
    expect(accounting.promptTokens('openai', 'gpt-6-sol', SIZE)).toBe(1_004);
  });
});

describe('the estimate of a prompt', () => {
  it('learns from what is reported, but prices the same attempt by what was known before', () => {
    const accounting = newAccounting();
    expect(accounting.promptTokens('openai', 'gpt-6-sol', SIZE)).toBe(1_004);
    // Only the output was lost: what the input teaches counts from the next attempt on.
    accounting.account(failed({}, { usage: { inputTokens: 2_004 }, outputBytes: 350 }), SIZE);
    // A fifth of the way from 1/3.5 to 2,000/3,500 tokens a byte.
    expect(accounting.promptTokens('openai', 'gpt-6-sol', SIZE)).toBe(1_204);
    // 1,204 x 2,000
    expect(accounting.account(record(), SIZE)?.nanoUsd).toBe(2_408_000n);
    expect(accounting.promptTokens('openai', 'gpt-6-sol', SIZE)).toBe(1_204);
    expect(accounting.promptTokens('openai', 'gpt-6-luna', SIZE)).toBe(1_004);
  });
});

describe('what targets have cost', () => {
  it('is the sum of their attempts, unknown until there is one, unknown costs left out', () => {
    const accounting = newAccounting();
    const cheap = entryOf('openai', 'm', 'cheap');
    expect(accounting.costOfTarget('cheap')).toBeUndefined();
    accounting.account(record({ entry: cheap, usage: { inputTokens: 10, outputTokens: 1 } }), SIZE);
    accounting.account(record({ entry: entryOf('openai', 'other', 'cheap'), usage: REPORTED }), SIZE);
    accounting.account(record({ entry: cheap, usage: { inputTokens: 1, outputTokens: 0 } }), SIZE);
    // 10 x 1,000 + 1 x 2,000, and 1 x 1,000
    expect(accounting.costOfTarget('cheap')).toBe(13_000n);
    expect(accounting.costOfTarget('openai')).toBeUndefined();
  });
});

describe('a limit of cost', () => {
  const cheap = entryOf('openai', 'm', 'cheap');

  it('takes what is likely to cost no more, to the nano-USD', () => {
    const accounting = newAccounting();
    // 1,004 x 1,000 + 500 x 2,000 = 2,004,000 nano-USD
    expect(accounting.isWithin(0.002_004, cheap, SIZE, 500)).toBe(true);
    expect(accounting.isWithin(0.002_003_999, cheap, SIZE, 500)).toBe(false);
  });

  it('refuses what has no known price, and takes what is free', () => {
    const accounting = newAccounting();
    expect(accounting.isWithin(1_000, entryOf('openai', 'a-model-of-nobody'), SIZE, 1)).toBe(false);
    expect(accounting.isWithin(0.000_001, entryOf('ollama', 'llama3.2'), SIZE, 1_000_000)).toBe(true);
  });
});

describe('the list price of an attempt', () => {
  it('is known once the attempt was accounted for', () => {
    const accounting = newAccounting();
    const plain = record({ usage: REPORTED });
    expect(accounting.listNanoUsd(plain)).toBeUndefined();
    const cost = accounting.account(plain, SIZE);
    expect(accounting.listNanoUsd(plain)).toBe(cost?.nanoUsd);
  });

  it('stands beside the price that the configuration sets, which the table does not know', () => {
    const accounting = newAccounting();
    const attempt = record({ entry: entryOf('openai', 'm', 'cheap'), usage: REPORTED });
    expect(accounting.account(attempt, SIZE)?.nanoUsd).toBe(2_600_000n);
    expect(accounting.listNanoUsd(attempt)).toBeUndefined();
  });

  it('is absent for what was not called', () => {
    const accounting = newAccounting();
    const skipped = record({ kind: 'SKIPPED' });
    accounting.account(skipped, SIZE);
    expect(accounting.listNanoUsd(skipped)).toBeUndefined();
  });
});
