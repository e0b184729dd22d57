import { describe } from 'vitest';
import { bill, checkBills } from './bill.ts';

// One token at 1 USD per million is 1,000 nano-USD. Each comment is the arithmetic by hand, in nano-USD.
const bills = [
  // 1,000 x 2,000 + 500 x 10,000 = 2,000,000 + 5,000,000
  bill('gpt-6.1-sol', 'openai/gpt-6.1-sol', { input: 1_000, output: 500 }, 7_000_000n),
  // fresh 10,000 - 8,000 - 1,000 = 1,000: 1,000 x 2,000 + 8,000 x 100 + 1,000 x 2,500 + 200 x 10,000
  bill(
    'gpt-6.1-sol with cache reads and writes',
    'openai/gpt-6.1-sol',
    { input: 10_000, cached: 8_000, written: 1_000, output: 200 },
    7_300_000n,
  ),
  // 272,000 x 2,000 + 1,000 x 10,000 = 544,000,000 + 10,000,000
  bill('gpt-6.1-sol at the boundary', 'openai/gpt-6.1-sol', { input: 272_000, output: 1_000 }, 554_000_000n),
  // 272,001 x 4,000 + 1,000 x 15,000 = 1,088,004,000 + 15,000,000
  bill('gpt-6.1-sol above it', 'openai/gpt-6.1-sol', { input: 272_001, output: 1_000 }, 1_103_004_000n),
  // fresh 300,000 - 250,000 - 10,000 = 40,000: 40,000 x 4,000 + 250,000 x 200 + 10,000 x 5,000 + 100 x 15,000
  bill(
    'gpt-6.1-sol above it with cache: cached tokens count for the tier',
    'openai/gpt-6.1-sol',
    { input: 300_000, cached: 250_000, written: 10_000, output: 100 },
    261_500_000n,
  ),
  // 272,000 x 5,000 + 10 x 30,000 = 1,360,000,000 + 300,000
  bill('gpt-5.5 at the boundary', 'openai/gpt-5.5', { input: 272_000, output: 10 }, 1_360_300_000n),
  // 272,001 x 10,000 + 10 x 45,000 = 2,720,010,000 + 450,000
  bill('gpt-5.5 above it', 'openai/gpt-5.5', { input: 272_001, output: 10 }, 2_720_460_000n),
  // (1,000 x 10,000 + 1,000 x 50,000) x 2 = 120,000,000
  bill(
    'gpt-6-astra, served with priority',
    'openai/gpt-6-astra',
    { input: 1_000, output: 1_000, tier: 'priority' },
    120_000_000n,
  ),
  // (7 x 100 + 3 x 500) x 0.5 = (700 + 1,500) / 2
  bill('gpt-6-luna, served as flex', 'openai/gpt-6-luna', { input: 7, output: 3, tier: 'flex' }, 1_100n),
  // cached half price: 1,000 x 2,500 + 1,000 x 1,250 + 100 x 10,000
  bill(
    'gpt-4o by its dated snapshot',
    'openai/gpt-4o',
    { input: 2_000, cached: 1_000, output: 100, tier: 'default' },
    4_750_000n,
    'EXACT',
    { reportedModel: 'gpt-4o-2024-08-06' },
  ),
  // 1,000 x 5,000 + 100 x 15,000: this snapshot has a price of its own
  bill('gpt-4o-2024-05-13', 'openai/gpt-4o-2024-05-13', { input: 1_000, output: 100 }, 6_500_000n),
  // 3 x 750 + 1 x 75 + 2 x 4,500 = 2,250 + 75 + 9,000
  bill(
    'gpt-5.4-mini with one cached token',
    'openai/gpt-5.4-mini',
    { input: 4, cached: 1, output: 2 },
    11_325n,
    'EXACT',
    { reportedModel: 'gpt-5.4-mini-2026-03-17' },
  ),
  // 1,000 x 10,000 + 1,000 x 30,000
  bill('GPT-4 Turbo', 'openai/gpt-4-turbo', { input: 1_000, output: 1_000 }, 40_000_000n),
  // 10 x 30,000 + 20 x 60,000
  bill('GPT-4', 'openai/gpt-4', { input: 10, output: 20 }, 1_500_000n, 'EXACT', { reportedModel: 'gpt-4-0613' }),
  // 11 x 500 + 7 x 1,500
  bill('GPT-3.5 Turbo', 'openai/gpt-3.5-turbo', { input: 11, output: 7 }, 16_000n, 'EXACT', {
    reportedModel: 'gpt-3.5-turbo-0125',
  }),
  // 1,000 x 2,000 + 100 x 8,000: the answer names the model, not the deployment
  bill('Azure by the reported model', 'azure-openai/prod-chat', { input: 1_000, output: 100 }, 2_800_000n, 'EXACT', {
    reportedModel: 'gpt-4.1-2025-04-14',
  }),
  // 600 x 2,200 + 400 x 220 + 100 x 11,000 = 1,320,000 + 88,000 + 1,100,000
  bill(
    'a deployment that the configuration prices',
    'azure-openai/my-deployment',
    { input: 1_000, cached: 400, output: 100 },
    2_508_000n,
    'EXACT',
    { target: 'azure-eu', reportedModel: 'gpt-4.1-2025-04-14' },
  ),
  // 1,000 x 2,200 + 100 x 8,800: by the reported name
  bill(
    'a reported model that the configuration prices',
    'azure-openai/other',
    { input: 1_000, output: 100 },
    3_080_000n,
    'EXACT',
    { target: 'azure-eu', reportedModel: 'gpt-4.1' },
  ),
];

describe('bills of OpenAI and Azure OpenAI', () => {
  checkBills(bills);
});
