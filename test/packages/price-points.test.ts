import { describe, expect, it } from 'vitest';

import { differences, pointsOfEntry, pointsOfGenAi, pointsOfLiteLlm } from '../../scripts/price-points.ts';

const ENTRY = {
  provider: 'openai',
  model: 'm',
  prices: { input: '2', cached_input: '0.1', cache_write: '2.5', cache_write_long: '5', output: '10' },
  tiers: [
    {
      above_input_tokens: 272_000,
      prices: { input: '4', output: '15' },
      service_tiers: { flex: '0.5' },
    },
  ],
  service_tiers: { flex: '0.5', priority: '2' },
  regions: { us: '1.1' },
};

/** The same prices in LiteLLM's words: USD for one token. */
const LITELLM = {
  max_tokens: 128_000,
  input_cost_per_token: 2e-6,
  input_cost_per_token_flex: 1e-6,
  input_cost_per_token_priority: 4e-6,
  input_cost_per_token_above_272k_tokens: 4e-6,
  input_cost_per_token_above_272k_tokens_flex: 2e-6,
  cache_creation_input_token_cost: 2.5e-6,
  cache_creation_input_token_cost_above_12hr: 5e-6,
  cache_creation_input_token_cost_above_12hr_priority: 1e-5,
  output_cost_per_token: 1e-5,
  provider_specific_entry: { us: 1.1 },
};

describe('the prices of the table, held against a map', () => {
  it('differ nowhere where the map says the same, and what it does not say is no difference', () => {
    expect(differences(pointsOfEntry(ENTRY), pointsOfLiteLlm(LITELLM))).toEqual([]);
    const genAi = {
      input_mtok: { base: '2', tiers: [{ start: 272_000, price: '4' }] },
      cache_write_1h_mtok: 5,
      output_mtok: '10',
      web_searches_kcount: '10',
    };
    expect(differences(pointsOfEntry(ENTRY), pointsOfGenAi(genAi))).toEqual([]);
  });

  it('differ where the map says another price, or one that the table lacks', () => {
    const other = {
      ...LITELLM,
      input_cost_per_token_flex: 1.5e-6,
      input_cost_per_token_ultrafast: 1.2e-5,
      input_cost_per_token_above_272k_tokens_priority: 8e-6,
      output_cost_per_token_above_100k_tokens: 1e-5,
      provider_specific_entry: null,
    };
    expect(differences(pointsOfEntry(ENTRY), pointsOfLiteLlm(other))).toEqual([
      { point: 'base, flex input', ours: '1', theirs: '1.5' },
      { point: 'base, ultrafast input', ours: '–', theirs: '12' },
      { point: 'above 272k, priority input', ours: '–', theirs: '8' },
      { point: 'above 100k, usual output', ours: '–', theirs: '10' },
    ]);
    expect(differences(pointsOfEntry(ENTRY), pointsOfGenAi({ input_mtok: 3 }))).toEqual([
      { point: 'base, usual input', ours: '2', theirs: '3' },
    ]);
  });

  it('are those of busy hours where the map was asked for them', () => {
    const entry = { ...ENTRY, tiers: [], peak: { prices: { input: '4' } } };
    expect(differences(pointsOfEntry(entry), pointsOfGenAi({ input_mtok: 4 }, 'busy'))).toEqual([]);
    expect(differences(pointsOfEntry(entry), pointsOfGenAi({ input_mtok: 2 }, 'busy'))).toEqual([
      { point: 'busy, usual input', ours: '4', theirs: '2' },
    ]);
  });
});
