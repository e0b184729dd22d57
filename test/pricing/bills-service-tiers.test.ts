import { describe } from 'vitest';
import { bill, checkBills } from './bill.ts';

// One token at 1 USD per million is 1,000 nano-USD. Each comment is the arithmetic by hand, in nano-USD.
const bills = [
  // (1,000 x 10,000 + 100 x 50,000) x 6
  bill('gpt-6-astra, ultrafast', 'openai/gpt-6-astra', { input: 1_000, output: 100, tier: 'ultrafast' }, 90_000_000n),
  // (1 x 4,000 + 272,000 x 200 + 1 x 15,000) x 6 = 54,419,000 x 6
  bill(
    'gpt-6.1-sol, ultrafast, above the boundary by one token beside a cached prompt',
    'openai/gpt-6.1-sol',
    { input: 272_001, cached: 272_000, output: 1, tier: 'ultrafast' },
    326_514_000n,
  ),
  // 272,001 x 4,000 x 0.5
  bill('gpt-6-sol as flex above it', 'openai/gpt-6-sol', { input: 272_001, output: 0, tier: 'flex' }, 544_002_000n),
  // (100 x 2,000 + 50 x 2,500 + 50 x 5,000 + 10 x 10,000) x 2 = 675,000 x 2
  bill(
    'gpt-6-sol with priority and both kinds of writes',
    'openai/gpt-6-sol',
    { input: 200, written: 100, long: 50, output: 10, tier: 'priority' },
    1_350_000n,
  ),
  // (10 x 100 + 1 x 500) x 2
  bill('gpt-6-luna, served as fast', 'openai/gpt-6-luna', { input: 10, output: 1, tier: 'fast' }, 3_000n),
  // (1 x 1,000 + 1 x 5,000) x 0.5
  bill('gpt-6.1-terra as flex', 'openai/gpt-6.1-terra', { input: 1, output: 1, tier: 'flex' }, 3_000n),
  // (1,000 x 4,000 + 10 x 20,000) x 2
  bill('gpt-5.6-sol with priority', 'openai/gpt-5.6-sol', { input: 1_000, output: 10, tier: 'priority' }, 8_400_000n),
  // (100 x 2,000 + 10 x 12,000) x 2
  bill('gpt-5.6-terra with priority', 'openai/gpt-5.6-terra', { input: 100, output: 10, tier: 'priority' }, 640_000n),
  // (1,000 x 200 + 100 x 1,200) x 2
  bill('gpt-5.6-luna with priority', 'openai/gpt-5.6-luna', { input: 1_000, output: 100, tier: 'priority' }, 640_000n),
  // (272,000 x 5,000 + 10 x 30,000) x 2.5 = 1,360,300,000 x 2.5
  bill(
    'gpt-5.5 with priority, exactly at the boundary',
    'openai/gpt-5.5',
    { input: 272_000, output: 10, tier: 'priority' },
    3_400_750_000n,
  ),
  // (272,001 x 10,000 + 10 x 45,000) x 2.5 = 2,720,460,000 x 2.5: no source has a price for it
  bill(
    'gpt-5.5 with priority above it',
    'openai/gpt-5.5',
    { input: 272_001, output: 10, tier: 'priority' },
    6_801_150_000n,
    'ESTIMATED',
  ),
  // 2,720,460,000 x 0.5
  bill('gpt-5.5 as flex above it', 'openai/gpt-5.5', { input: 272_001, output: 10, tier: 'flex' }, 1_360_230_000n),
  // (4 x 750 + 2 x 4,500) x 0.5
  bill('gpt-5.4-mini as flex', 'openai/gpt-5.4-mini', { input: 4, output: 2, tier: 'flex' }, 6_000n),
  // (4 x 750 + 2 x 4,500) x 2
  bill('gpt-5.4-mini with priority', 'openai/gpt-5.4-mini', { input: 4, output: 2, tier: 'priority' }, 24_000n),
  // (1,000 x 2,000 + 100 x 8,000) x 1.75
  bill('gpt-4.1 with priority', 'openai/gpt-4.1', { input: 1_000, output: 100, tier: 'priority' }, 4_900_000n),
  // (1,000 x 2,500 + 1,000 x 1,250 + 100 x 10,000) x 1.7 = 4,750,000 x 1.7
  bill(
    'gpt-4o with priority',
    'openai/gpt-4o',
    { input: 2_000, cached: 1_000, output: 100, tier: 'priority' },
    8_075_000n,
  ),
  // (1,000 x 5,000 + 100 x 15,000) x 1.75
  bill(
    'gpt-4o-2024-05-13 with priority',
    'openai/gpt-4o-2024-05-13',
    { input: 1_000, output: 100, tier: 'priority' },
    11_375_000n,
  ),
  // (100 x 4,000 + 200 x 8,000 + 10 x 20,000) x 2
  bill(
    'claude-opus-5-5 in fast mode with 1-hour writes',
    'anthropic/claude-opus-5-5',
    { input: 300, written: 200, long: 200, output: 10, tier: 'fast' },
    4_400_000n,
  ),
  // (1,000 x 5,000 + 100 x 25,000) x 2
  bill(
    'claude-opus-4-8 in fast mode',
    'anthropic/claude-opus-4-8',
    { input: 1_000, output: 100, tier: 'fast' },
    15_000_000n,
  ),
  // (1,000 x 2,000 + 100 x 10,000) x 1.1
  bill(
    'claude-sonnet-5-5 answered in the United States',
    'anthropic/claude-sonnet-5-5',
    { input: 1_000, output: 100, tier: 'standard', region: 'us' },
    3_300_000n,
  ),
  // (10 x 5,000 + 10 x 25,000) x 2 x 1.1
  bill(
    'claude-opus-5 in fast mode in the United States',
    'anthropic/claude-opus-5',
    { input: 10, output: 10, tier: 'fast', region: 'us' },
    660_000n,
  ),
  // 10 x 5,000 + 10 x 25,000: nobody says what that region costs
  bill(
    'claude-opus-5 in a region without a price',
    'anthropic/claude-opus-5',
    { input: 10, output: 10, region: 'eu' },
    300_000n,
    'ESTIMATED',
  ),
  // 100 x 2,200 + 10 x 11,000: what is configured is flat, and the tier costs something else
  bill(
    'a configured price with a service tier',
    'azure-openai/my-deployment',
    { input: 100, output: 10, tier: 'priority' },
    330_000n,
    'ESTIMATED',
    { target: 'azure-eu' },
  ),
  // 100 x 2,200 + 10 x 8,800: Groq's word for the usual tier
  bill(
    'a configured price with the usual tier by another name',
    'openai/gpt-4.1',
    { input: 100, output: 10, tier: 'on_demand' },
    308_000n,
    'EXACT',
    { target: 'azure-eu', ownHost: false },
  ),
];

describe('bills of service tiers and regions, as they were served', () => {
  checkBills(bills);
});
