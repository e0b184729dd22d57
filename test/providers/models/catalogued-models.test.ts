import { describe, expect, it } from 'vitest';

import prices from '../../../src/pricing/prices.json' with { type: 'json' };
import { claudeModel } from '../../../src/providers/models/claude-models.ts';
import { cataloguedModels, modelFacts } from '../../../src/providers/models/catalogued-models.ts';
import { CAPABILITIES } from '../../../src/providers/port/model-facts.ts';
import file from '../../../src/providers/models/models.json' with { type: 'json' };

const WHOLE = [...CAPABILITIES].toSorted();

function abilities(provider: string, model: string): string[] {
  return [...(modelFacts(provider, model)?.capabilities ?? [])].toSorted();
}

describe('the file of models', () => {
  it.each(file.models)('$provider $model has a source, a date, and nothing that cannot be', (entry) => {
    expect(Object.keys(entry)).toEqual(expect.arrayContaining(['provider', 'model', 'source', 'date', 'capabilities']));
    expect(entry.source).toMatch(/\S/);
    expect(entry.date).toMatch(/^20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/);
    expect(WHOLE).toEqual(expect.arrayContaining(entry.capabilities));
    expect(new Set(entry.capabilities).size).toBe(entry.capabilities.length);
    for (const count of [entry.context_window, entry.max_output_tokens]) {
      if (count !== undefined) expect(Number.isInteger(count) && count >= 1_000 && count <= 10_000_000).toBe(true);
    }
    const known = [
      'provider',
      'model',
      'aliases',
      'source',
      'date',
      'context_window',
      'max_output_tokens',
      'capabilities',
    ];
    expect(known).toEqual(expect.arrayContaining(Object.keys(entry)));
  });

  it('has each id once', () => {
    const ids = file.models.flatMap(({ provider, model, aliases = [] }) =>
      [model, ...aliases].map((id) => `${provider}/${id}`),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('has every model that has a price, under the same names', () => {
    for (const { provider, model, aliases = [] } of prices.models) {
      if (model === '*') continue;
      for (const id of [model, ...aliases]) expect(modelFacts(provider, id), `${provider}/${id}`).toBeDefined();
    }
  });

  it('does not repeat what the tables of requests know', () => {
    for (const { provider, model, capabilities, max_output_tokens: most } of file.models) {
      if (provider !== 'openai' && provider !== 'anthropic') continue;
      expect(capabilities, model).not.toContain('reasoning');
      expect(capabilities, model).not.toContain('sampling');
      if (provider === 'anthropic' && claudeModel(model).maxOutputTokens !== undefined)
        expect(most, model).toBeUndefined();
    }
  });
});

describe('the facts of a model', () => {
  it('are those of its id, of an alias, and of a dated snapshot', () => {
    const sol = modelFacts('openai', 'gpt-5.6-sol');
    expect(sol).toMatchObject({ contextWindow: 1_050_000 });
    expect(modelFacts('openai', 'gpt-5.6')).toBe(sol);
    expect(modelFacts('anthropic', 'claude-haiku-4-5-20251001')).toBe(modelFacts('anthropic', 'claude-haiku-4-5'));
    expect(modelFacts('openai', 'gpt-4o-2024-05-13')).toMatchObject({ maxOutputTokens: 4_096 });
  });

  it('are not lent to ids that only begin alike, nor to other providers', () => {
    expect(modelFacts('anthropic', 'claude-sonnet-5-6')).toBeUndefined();
    expect(modelFacts('anthropic', 'gpt-6.1-sol')).toBeUndefined();
    expect(modelFacts('azure-openai', 'gpt-6.1-sol')).toBeUndefined();
    expect(modelFacts('ollama', 'gpt-4o')).toBeUndefined();
    expect(modelFacts('nobody', 'gpt-4o')).toBeUndefined();
    expect(modelFacts('openai', '__proto__')).toBeUndefined();
  });

  it('say whether it reasons and takes sampling, as requests to it are shaped', () => {
    expect(abilities('openai', 'gpt-6.1-sol')).toContain('reasoning');
    expect(abilities('openai', 'gpt-6.1-sol')).not.toContain('sampling');
    expect(abilities('openai', 'gpt-6-sol')).toEqual(expect.arrayContaining(['reasoning', 'sampling']));
    expect(abilities('openai', 'gpt-4.1')).not.toContain('reasoning');
    expect(abilities('openai', 'gpt-4.1')).toContain('sampling');
    expect(abilities('anthropic', 'claude-opus-5-5')).toContain('reasoning');
    expect(abilities('anthropic', 'claude-opus-5-5')).not.toContain('sampling');
    expect(abilities('anthropic', 'claude-3-haiku')).not.toContain('reasoning');
    expect(abilities('deepseek', 'deepseek-flash')).toEqual(expect.arrayContaining(['reasoning', 'sampling']));
  });

  it('say what it can be shown', () => {
    expect(abilities('deepseek', 'deepseek-v4-pro')).not.toContain('image_input');
    expect(abilities('deepseek', 'deepseek-flash')).toContain('image_input');
    expect(abilities('openai', 'gpt-4')).toEqual(['sampling', 'tools']);
  });

  it('have the longest answer of Claude where its requests have it', () => {
    expect(modelFacts('anthropic', 'claude-opus-4-8')?.maxOutputTokens).toBe(
      claudeModel('claude-opus-4-8').maxOutputTokens,
    );
    expect(modelFacts('anthropic', 'claude-3-haiku')?.maxOutputTokens).toBe(4_096);
  });
});

it('the models of a provider are listed under their own names', () => {
  const deepseek = cataloguedModels('deepseek').map(({ id }) => id);
  expect(deepseek).toEqual(['deepseek-flash', 'deepseek-v4-pro', 'deepseek-chat']);
  expect(cataloguedModels('azure-openai')).toEqual([]);
});
