import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';

import { ChatRequestSchema } from '../../gen/understudy/v1/llm_pb.ts';
import type { CostBounds } from '../../src/core/money.ts';
import type { AttemptEvent } from '../../src/core/ports.ts';
import type { Failure } from '../../src/core/failure.ts';
import { Accounting } from '../../src/pricing/accounting.ts';
import { PriceFallback } from '../../src/pricing/price-fallback.ts';
import { createPriceTable } from '../../src/pricing/price-table.ts';
import { leaveWithin, spendingBounds } from '../../src/request-plan/spending-bounds.ts';

type Options = MessageInitShape<typeof ChatRequestSchema>['options'];

const ENTRY = { target: 't', provider: 'openai', model: 'm', circuit: 'm', modelNamedByCaller: false };
const NOTHING = { bytes: 0, messages: 0, mediaTokens: 0 };

/** What is asked for where an answer costs 1 USD for a million tokens: a thousandth of the tokens in nano-USD. */
function claimed(options: Options, entry = ENTRY, input = '0'): CostBounds | undefined {
  const prices = [{ model: 'm', input, output: '1' }];
  const table = createPriceTable({ overrides: [{ target: 't', prices }] });
  const accounting = new Accounting(table, new PriceFallback(() => Promise.reject(new Error('none'))), () => 0);
  let asked: CostBounds | undefined;
  const spending = {
    claim: (bounds: CostBounds) => {
      asked = bounds;
      return undefined;
    },
    giveBack: () => undefined,
    grown: () => undefined,
  };
  const bounds = spendingBounds(create(ChatRequestSchema, { options }), entry, NOTHING, accounting);
  if ('reason' in bounds) return undefined;
  leaveWithin(spending, bounds).asked.claim?.(1_000);
  return asked;
}

describe('what a request may cost', () => {
  test('is bounded by max_tokens, and otherwise a guess', () => {
    expect(claimed({ maxTokens: 50 })).toEqual({ most: 50_000n, least: 50_000n });
    expect(claimed({})).toEqual({ most: 1_024_000n, least: 0n, open: { tokens: 1_024, price: 1_000_000_000n } });
  });

  test.each([
    [{ max_completion_tokens: 5_000 }, 5_000_000n],
    [{ max_output_tokens: 5_000 }, 5_000_000n],
    [{ options: { num_predict: 5_000 } }, 5_000_000n],
    [{ max_tokens: 5 }, 50_000n],
    [{ options: null }, 50_000n],
  ])('is what the provider’s own fields make of it: %o', (own, most) => {
    expect(claimed({ maxTokens: 50, providerOptions: { openai: own } })).toEqual({ most, least: most });
  });

  test.each([{ max_tokens: null }, { max_completion_tokens: 'many' }, { options: { num_predict: -1 } }])(
    'is a guess where they lift the bound of the request: %o',
    (own) => {
      expect(claimed({ maxTokens: 50, providerOptions: { openai: own } })).toEqual({
        most: 1_024_000n,
        least: 0n,
        open: { tokens: 1_024, price: 1_000_000_000n },
      });
    },
  );

  test('counts a prompt that stands among the provider’s own fields', () => {
    const own = { messages: [{ role: 'user', content: 'word '.repeat(20_000) }] };
    const bounds = claimed({ maxTokens: 1, providerOptions: { openai: own } }, ENTRY, '1');
    expect(bounds?.most).toBeGreaterThan(20_000_000n);
  });

  test.each([
    [{ previous_response_id: 'resp_1' }, undefined],
    [{ background: true }, undefined],
    [{ web_search_options: {} }, undefined],
    [{ models: ['dear'] }, undefined],
    [{ tools: [{ type: 'function', name: 'f' }, { type: 'web_search' }] }, undefined],
    [{ tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, undefined],
    [{ tools: [null] }, 50_000n],
    [{ tools: [{ name: 'f', input_schema: {} }, { type: 'bash_20250124' }, { type: 'custom' }] }, 50_000n],
    [{ background: false, previous_response_id: null, store: true }, 50_000n],
  ])('is not known where they ask for what is charged beside tokens: %o', (own, most) => {
    expect(claimed({ maxTokens: 50, providerOptions: { openai: own } })?.most).toBe(most);
  });

  test('takes no heed of the fields of another provider', () => {
    expect(claimed({ maxTokens: 50, providerOptions: { anthropic: { max_tokens: 5_000 } } })?.most).toBe(50_000n);
  });

  test('is not known of a model without a price', () => {
    expect(claimed({}, { ...ENTRY, model: 'other' })).toBeUndefined();
  });
});

describe('an answer that grows beyond what is left of a budget', () => {
  const failure: Failure = { class: 'budget', reason: 'BUDGET_EXHAUSTED', message: 'too long' };
  const output = { type: 'output', value: 'word', bytes: 4 } as const;
  const terminal = { type: 'terminal', final: 'stop' } as const;
  const end = { type: 'end' } as const;
  type Event = AttemptEvent<string, string>;

  /** Tells what the engine hears of events that come in one turn each. */
  async function heard(...turns: readonly (readonly Event[])[]): Promise<readonly Event['type'][]> {
    const table = createPriceTable({ overrides: [{ target: 't', prices: [{ model: 'm', input: '0', output: '1' }] }] });
    const accounting = new Accounting(table, new PriceFallback(() => Promise.reject(new Error('none'))), () => 0);
    const spending = {
      claim: () => undefined,
      giveBack: () => undefined,
      grown: (_tokens: number, refused: (why: Failure) => void) => refused(failure),
    };
    const bounds = spendingBounds(create(ChatRequestSchema), ENTRY, NOTHING, accounting);
    const told: Event['type'][] = [];
    if ('reason' in bounds) return told;
    const sink = leaveWithin(spending, bounds).listen<string, string>(({ type }) => told.push(type));
    for (const turn of turns) {
      for (const event of turn) sink(event);
      await Promise.resolve();
    }
    return told;
  }

  test('ends', async () => {
    expect(await heard([output])).toEqual(['output', 'error']);
  });

  test('is given out where it has come to its end in the same turn, since it is paid', async () => {
    expect(await heard([output, terminal, end])).toEqual(['output', 'terminal', 'end']);
    expect(await heard([output, terminal], [end])).toEqual(['output', 'terminal', 'end']);
  });
});
