import { describe } from 'vitest';
import { bill, checkBills } from './bill.ts';

// One token at 1 USD per million is 1,000 nano-USD. Each comment is the arithmetic by hand, in nano-USD.
const bills = [
  // fresh 13,000 - 10,000 - 2,000 = 1,000: 1,000 x 2,000 + 10,000 x 100 + 2,000 x 2,500 + 300 x 10,000
  bill(
    'claude-sonnet-5-5 with 5-minute writes',
    'anthropic/claude-sonnet-5-5',
    { input: 13_000, cached: 10_000, written: 2_000, long: 0, output: 300, tier: 'standard' },
    11_000_000n,
  ),
  // the same with 500 of the writes for 1 hour: 2,000,000 + 1,000,000 + 1,500 x 2,500 + 500 x 4,000 + 3,000,000
  bill(
    'claude-sonnet-5-5 with both kinds of writes',
    'anthropic/claude-sonnet-5-5',
    { input: 13_000, cached: 10_000, written: 2_000, long: 500, output: 300 },
    11_750_000n,
  ),
  // 10,000 x 200 + 0 + 100 x 10,000: cache reads of claude-sonnet-5 are twice those of claude-sonnet-5-5
  bill('claude-sonnet-5', 'anthropic/claude-sonnet-5', { input: 10_000, cached: 10_000, output: 100 }, 3_000_000n),
  // 100,000 x 100 + 100 x 500 = 10,000,000 + 50,000
  bill('claude-haiku-5-5 at the boundary', 'anthropic/claude-haiku-5-5', { input: 100_000, output: 100 }, 10_050_000n),
  // 100,001 x 500 + 100 x 2,500 = 50,000,500 + 250,000
  bill('claude-haiku-5-5 above it', 'anthropic/claude-haiku-5-5', { input: 100_001, output: 100 }, 50_250_500n),
  // fresh 1, cached 90,000, written 10,000 of which 4,000 long: 500 + 90,000 x 50 + 6,000 x 625 + 4,000 x 1,000 + 2,500
  bill(
    'claude-haiku-5-5 above it by cache alone',
    'anthropic/claude-haiku-5-5',
    { input: 100_001, cached: 90_000, written: 10_000, long: 4_000, output: 1 },
    12_253_000n,
  ),
  // (1,000 x 4,000 + 500 x 20,000) x 2 = 14,000,000 x 2
  bill(
    'claude-opus-5-5 in fast mode',
    'anthropic/claude-opus-5-5',
    { input: 1_000, output: 500, tier: 'fast' },
    28_000_000n,
  ),
  // 2,095 x 1,000 + 503 x 5,000 = 2,095,000 + 2,515,000
  bill(
    'claude-haiku-4-5 by its snapshot',
    'anthropic/claude-haiku-4-5',
    { input: 2_095, output: 503 },
    4_610_000n,
    'EXACT',
    { reportedModel: 'claude-haiku-4-5-20251001' },
  ),
  // 100 x 10,000 + 200 x 20,000 + 50 x 50,000 = 1,000,000 + 4,000,000 + 2,500,000
  bill(
    'claude-fable-5-1 with 1-hour writes',
    'anthropic/claude-fable-5-1',
    { input: 300, written: 200, long: 200, output: 50 },
    7_500_000n,
  ),
  // 100 x 3,000 + 10 x 15,000
  bill('Claude 3.5 Sonnet', 'anthropic/claude-3-5-sonnet-20241022', { input: 100, output: 10 }, 450_000n),
  // 10 x 3,000 + 60 x 300 + 10 x 3,750 + 20 x 6,000 + 10 x 15,000
  bill(
    'Claude 3.5 Sonnet with cache',
    'anthropic/claude-3-5-sonnet',
    { input: 100, cached: 60, written: 30, long: 20, output: 10 },
    355_500n,
  ),
  // 100 x 250 + 10 x 1,250
  bill('Claude 3 Haiku', 'anthropic/claude-3-haiku-20240307', { input: 100, output: 10 }, 37_500n),
];

describe('bills of Anthropic', () => {
  checkBills(bills);
});
