import { describe } from 'vitest';
import { bill, checkBills } from './bill.ts';

// One token at 1 USD per million is 1,000 nano-USD. Each comment is the arithmetic by hand, in nano-USD.
const bills = [
  // fresh 70,000 x 10,000 + cached 200,000 x 1,000 + 1,000 x 12,500 + 1,000 x 25,000 + 10 x 50,000
  // = 700,000,000 + 200,000,000 + 12,500,000 + 25,000,000 + 500,000
  bill(
    'gpt-6-astra exactly at the boundary, with all kinds of input',
    'openai/gpt-6-astra',
    { input: 272_000, cached: 200_000, written: 2_000, long: 1_000, output: 10 },
    938_000_000n,
  ),
  // 70,000 x 20,000 + 200,001 x 2,000 + 1,000 x 25,000 + 1,000 x 50,000 + 10 x 75,000
  // = 1,400,000,000 + 400,002,000 + 25,000,000 + 50,000,000 + 750,000
  bill(
    'gpt-6-astra with one cached token more',
    'openai/gpt-6-astra',
    { input: 272_001, cached: 200_001, written: 2_000, long: 1_000, output: 10 },
    1_875_752_000n,
  ),
  // 10 x 5,000
  bill(
    'gpt-6.1-sol with 12-hour writes',
    'openai/gpt-6.1-sol',
    { input: 10, written: 10, long: 10, output: 0 },
    50_000n,
  ),
  // 272,000 x 2,500 + 1 x 5,000
  bill(
    'gpt-6.1-terra at the boundary by 12-hour writes alone',
    'openai/gpt-6.1-terra',
    { input: 272_000, written: 272_000, long: 272_000, output: 1 },
    680_005_000n,
  ),
  // 272,001 x 5,000 + 1 x 7,500
  bill(
    'gpt-6.1-terra above it by one of them',
    'openai/gpt-6.1-terra',
    { input: 272_001, written: 272_001, long: 272_001, output: 1 },
    1_360_012_500n,
  ),
  // fresh 271,701 x 4,000 + 100 x 5,000 + 200 x 10,000 + 1 x 15,000 = 1,086,804,000 + 500,000 + 2,000,000 + 15,000
  bill(
    'gpt-6-sol above it with both kinds of writes',
    'openai/gpt-6-sol',
    { input: 272_001, written: 300, long: 200, output: 1 },
    1_089_319_000n,
  ),
  // 600 x 125 + 400 x 250 + 2 x 500
  bill(
    'gpt-6-luna with both kinds of writes',
    'openai/gpt-6-luna',
    { input: 1_000, written: 1_000, long: 400, output: 2 },
    176_000n,
  ),
  // 100 x 10,000 + 1 x 20,000
  bill(
    'gpt-5.6-sol with 12-hour writes',
    'openai/gpt-5.6-sol',
    { input: 100, written: 100, long: 100, output: 1 },
    1_020_000n,
  ),
  // 299,000 x 400 + 1,000 x 10,000 + 10 x 18,000 = 119,600,000 + 10,000,000 + 180,000
  bill(
    'gpt-5.6-terra above the boundary with 12-hour writes',
    'openai/gpt-5.6-terra',
    { input: 300_000, cached: 299_000, written: 1_000, long: 1_000, output: 10 },
    129_780_000n,
  ),
  // 100 x 200 + 6 x 250 + 4 x 500 + 1 x 1,200
  bill(
    'gpt-5.6-luna with both kinds of writes',
    'openai/gpt-5.6-luna',
    { input: 110, written: 10, long: 4, output: 1 },
    24_700n,
  ),
  // 60,000 x 10 + 40,000 x 200 + 10 x 500 = 600,000 + 8,000,000 + 5,000
  bill(
    'claude-haiku-5-5 exactly at the boundary with 1-hour writes',
    'anthropic/claude-haiku-5-5',
    { input: 100_000, cached: 60_000, written: 40_000, long: 40_000, output: 10 },
    8_605_000n,
  ),
  // 60,000 x 50 + 40,001 x 1,000 + 10 x 2,500 = 3,000,000 + 40,001,000 + 25,000
  bill(
    'claude-haiku-5-5 above it by one of them',
    'anthropic/claude-haiku-5-5',
    { input: 100_001, cached: 60_000, written: 40_001, long: 40_001, output: 10 },
    43_026_000n,
  ),
  // 100,000 x 50 + 1 x 500
  bill(
    'claude-haiku-5-5 above it by one fresh token beside a cached prompt',
    'anthropic/claude-haiku-5-5',
    { input: 100_001, cached: 100_000, output: 0 },
    5_000_500n,
  ),
];

describe('bills at the boundaries of context tiers, and of long cache writes', () => {
  checkBills(bills);
});
