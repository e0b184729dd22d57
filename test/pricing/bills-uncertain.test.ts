import { describe } from 'vitest';
import { bill, checkBills } from './bill.ts';

// One token at 1 USD per million is 1,000 nano-USD. Each comment is the arithmetic by hand, in nano-USD.
const bills = [
  // writes cost as much as input where nobody says what they cost: 90 x 5,000 + 10 x 5,000 + 1 x 30,000
  bill(
    'gpt-5.5 with cache writes, which have no price',
    'openai/gpt-5.5',
    { input: 100, written: 10, long: 10, output: 1 },
    530_000n,
    'ESTIMATED',
  ),
  // 50 + 50 cached at the price of input: 100 x 10,000 + 10 x 30,000
  bill(
    'cached tokens without a price of their own',
    'openai/gpt-4-turbo',
    { input: 100, cached: 50, output: 10 },
    1_300_000n,
    'ESTIMATED',
  ),
  // nothing fresh: 90 x 100 + 20 x 2,500 + 1 x 10,000
  bill(
    'parts that are more than the whole',
    'openai/gpt-6.1-sol',
    { input: 100, cached: 90, written: 20, output: 1 },
    69_000n,
    'ESTIMATED',
  ),
  // 50 x 2,000 reported + 20 x 10,000 estimated
  bill('a broken stream, its output estimated', 'anthropic/claude-sonnet-5-5', { input: 50 }, 300_000n, 'ESTIMATED', {
    estimate: { inputTokens: 40, outputTokens: 20 },
  }),
  // 40 x 2,000 + 20 x 10,000
  bill('no counts, all estimated', 'openai/gpt-6.1-sol', undefined, 280_000n, 'ESTIMATED', {
    estimate: { inputTokens: 40, outputTokens: 20 },
  }),
  // 1,000 x 2,000: a tier without a published factor counts as the usual one
  bill(
    'an unknown service tier',
    'openai/gpt-6.1-sol',
    { input: 1_000, output: 0, tier: 'scale' },
    2_000_000n,
    'ESTIMATED',
  ),
  // 1,000 x 2,000 + 100 x 10,000
  bill('counts that contradict each other', 'openai/gpt-6.1-sol', undefined, 3_000_000n, 'ESTIMATED', {
    usage: { inputTokens: 1_000, outputTokens: 100, isDoubtful: true },
  }),
  bill('the model of a provider at another host', 'openai/gpt-4o', { input: 10, output: 1 }, undefined, 'UNKNOWN', {
    ownHost: false,
    reportedModel: 'gpt-4o-2024-08-06',
  }),
  // 10 x 2,200 + 1 x 8,800: what is configured holds anywhere
  bill('a configured model at another host', 'openai/gpt-4.1', { input: 10, output: 1 }, 30_800n, 'EXACT', {
    ownHost: false,
    target: 'azure-eu',
  }),
  bill(
    'a model of Ollama’s cloud, through a local Ollama',
    'ollama/gpt-oss:120b-cloud',
    { input: 10, output: 1 },
    undefined,
    'UNKNOWN',
    { ownHost: false },
  ),
  bill('an Ollama, which is never its maker’s', 'ollama/qwen3', { input: 10, output: 1 }, 0n, 'EXACT', {
    ownHost: false,
  }),
  // 1,000 x 2,000
  bill(
    'an answer under a name that the table does not know',
    'openai/gpt-4.1',
    { input: 1_000, output: 0 },
    2_000_000n,
    'ESTIMATED',
    { reportedModel: 'gpt-4.1-turbo' },
  ),
  // 1,000 x 2,000: the deployment has the name of a model, and the answer names none
  bill('Azure without a reported model', 'azure-openai/gpt-4.1', { input: 1_000, output: 0 }, 2_000_000n, 'ESTIMATED'),
  // 1,000 x 300: in 2027 the days off are not known yet, 2027-01-04 is a Monday
  bill(
    'deepseek-flash in busy hours of a year without a list of days off',
    'deepseek/deepseek-flash',
    { input: 1_000, output: 0 },
    300_000n,
    'ESTIMATED',
    { wallMs: Date.UTC(2027, 0, 4, 2, 0) },
  ),
  bill('a model that nobody knows', 'openai/gpt-9', { input: 1_000, output: 100 }, undefined, 'UNKNOWN'),
  bill(
    'a model whose id only begins like a known one',
    'anthropic/claude-sonnet-5-5-fast',
    { input: 1, output: 1 },
    undefined,
    'UNKNOWN',
  ),
  bill(
    'Azure with a reported model that nobody knows',
    'azure-openai/gpt-4.1',
    { input: 1, output: 1 },
    undefined,
    'UNKNOWN',
    { reportedModel: 'grok-3-mini-high' },
  ),
  bill('no counts and no estimate', 'openai/gpt-6.1-sol', undefined, undefined, 'UNKNOWN'),
  bill('counts of the input alone', 'openai/gpt-6.1-sol', { input: 10 }, undefined, 'UNKNOWN'),
  bill('what was never sent', 'openai/gpt-9', undefined, 0n, 'EXACT', { neverSent: true }),
];

describe('bills that are estimated or unknown', () => {
  checkBills(bills);
});
