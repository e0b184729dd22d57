import { describe } from 'vitest';
import { bill, checkBills } from './bill.ts';

// One token at 1 USD per million is 1,000 nano-USD. Each comment is the arithmetic by hand, in nano-USD.
const bills = [
  // 1 x 0.5 = 0.5, rounded up
  bill('half a nano-USD', 'openai/half', { input: 1, output: 0 }, 1n, 'EXACT', { target: 'azure-eu' }),
  // 3 x 0.5 = 1.5, rounded up
  bill('one and a half', 'openai/half', { input: 3, output: 0 }, 2n, 'EXACT', { target: 'azure-eu' }),
  // 1 x 0.499999 = 0.499999, rounded down
  bill('less than half', 'openai/half', { input: 0, output: 1 }, 0n, 'EXACT', { target: 'azure-eu' }),
  // 1 x 0.5 + 1 x 0.499999 = 0.999999: rounded once, not twice
  bill('two parts, rounded together', 'openai/half', { input: 1, output: 1 }, 1n, 'EXACT', { target: 'azure-eu' }),
  // 4 x 2.8 = 11.2, rounded down
  bill('a fraction of a nano-USD of a real price', 'deepseek/deepseek-chat', { input: 4, cached: 4, output: 0 }, 11n),
  // off-peak: 1,000 x 150 + 9,000 x 3 + 100 x 600 = 150,000 + 27,000 + 60,000
  bill(
    'deepseek-flash on a Sunday',
    'deepseek/deepseek-flash',
    { input: 10_000, cached: 9_000, output: 100 },
    237_000n,
  ),
  // the same, twice: 1,000 x 300 + 9,000 x 6 + 100 x 1,200
  bill(
    'deepseek-flash on a Monday in busy hours',
    'deepseek/deepseek-flash',
    { input: 10_000, cached: 9_000, output: 100 },
    474_000n,
    'EXACT',
    { wallMs: Date.UTC(2026, 10, 23, 2, 0) },
  ),
  // 1,000 x 660 + 100 x 1,980: 04:00 is no longer busy
  bill(
    'deepseek-v4-pro on a Monday at noon in China',
    'deepseek/deepseek-v4-pro',
    { input: 1_000, output: 100 },
    858_000n,
    'EXACT',
    { wallMs: Date.UTC(2026, 10, 23, 4, 0) },
  ),
  // 1,000 x 1,320 + 100 x 3,960: 06:00 is busy again
  bill(
    'deepseek-v4-pro on a Friday at 06:00',
    'deepseek/deepseek-v4-pro',
    { input: 1_000, output: 100 },
    1_716_000n,
    'EXACT',
    { wallMs: Date.UTC(2026, 10, 27, 6, 0) },
  ),
  // 1 x 150: asked by an old name, billed as Flash
  bill('a legacy name of deepseek-flash', 'deepseek/deepseek-chat', { input: 1, output: 0 }, 150n, 'EXACT', {
    reportedModel: 'deepseek-v4-flash',
  }),
  // 1,000 x 140 + 100 x 280
  bill('deepseek-chat', 'deepseek/deepseek-chat', { input: 1_000, output: 100 }, 168_000n, 'EXACT', {
    reportedModel: 'deepseek-chat',
  }),
  bill('any model of Ollama', 'ollama/qwen3:0.6b', { input: 1_000, output: 100 }, 0n),
  bill('Ollama without counts', 'ollama/qwen3', undefined, 0n),
  // 1,000 x 1,000 + 100 x 4,000: made up
  bill('the mock', 'mock/mock-ok', { input: 1_000, output: 100 }, 1_400_000n),
];

describe('bills of DeepSeek, Ollama and the mock, and their rounding', () => {
  checkBills(bills);
});
