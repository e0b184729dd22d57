import { readdirSync, readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { isCompatible, PROVIDERS } from '../../src/core/provider.ts';
import type { ReasoningWish } from '../../src/providers/port/effort.ts';
import { adapterFor } from '../../src/providers/registry.ts';
import { chatOf, wire } from '../support/chat-samples.ts';
import { EVERY_ADAPTER } from '../support/every-adapter.ts';

describe('the registry', () => {
  it.each(['openai', 'azure-openai'] as const)('has an adapter of %s for each of its APIs', (provider) => {
    const target = { name: 'main', provider, model: 'gpt-4o', stream: true };
    expect(wire(adapterFor(provider, 'responses').request(chatOf({}), target)).path).toBe('/responses');
    expect(wire(adapterFor(provider, 'chat_completions').request(chatOf({}), target)).path).toBe('/chat/completions');
  });

  const others = PROVIDERS.filter((name) => isCompatible(name) || name === 'deepseek' || name === 'mock');
  it.each(others)('answers for %s with Chat Completions, whatever the API', (provider) => {
    const target = { name: 'main', provider, model: 'm', stream: true };
    expect(wire(adapterFor(provider, 'responses').request(chatOf({}), target)).path).toBe('/chat/completions');
  });

  it('knows of every model how long it may be silent, and what comes meanwhile', () => {
    const silences = (model: string, reasoning: ReasoningWish = 'unsaid') =>
      EVERY_ADAPTER.map(({ adapter, provider, path }) => [`${provider} ${path}`, adapter.silence(model, reasoning)]);
    const unlessShort = (entries: ReturnType<typeof silences>) =>
      Object.fromEntries(entries.filter(([, silence]) => silence !== 'short' && silence !== 'unknown'));
    const always = { 'deepseek /chat/completions': 'behind_signs', 'ollama /api/chat': 'loaded' };
    const claude = { 'anthropic /v1/messages': 'behind_signs' };
    expect(unlessShort(silences('gpt-4o'))).toEqual({ ...always, ...claude });
    const responses = { 'openai /responses': 'behind_signs', 'azure-openai /responses': 'behind_signs' };
    const thinking = {
      ...responses,
      'openai /chat/completions': 'without_head',
      'azure-openai /chat/completions': 'without_head',
    };
    expect(unlessShort(silences('gpt-5.1'))).toEqual({ ...always, ...claude, ...thinking });
    expect(unlessShort(silences('gpt-5.1', 'refused'))).toEqual(always);
    // It reasons whatever it is told.
    expect(unlessShort(silences('o3', 'refused'))).toEqual({ ...always, ...thinking });
    // Of a model that nothing is known of.
    const azure = { 'azure-openai /chat/completions': 'behind_signs' };
    expect(unlessShort(silences('m'))).toEqual({ ...always, ...claude, ...responses, ...azure });
    expect(silences('m')).toContainEqual(['openai /chat/completions', 'unknown']);
    expect(silences('gpt-4o')).toContainEqual(['openai /chat/completions', 'short']);
    expect(silences('m', 'asked').filter(([, silence]) => silence === 'short')).toEqual([]);
  });

  it('has no exported name twice in its folder', () => {
    const folder = new URL('../../src/providers/', import.meta.url);
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(new URL(file, folder), 'utf8'))
      .flatMap((source) => source.match(/^export (?:const|function|class|interface|type) \w+/gm) ?? [])
      .map((line) => line.replace(/.* /, ''));
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it('sends nothing for one provider under the name of another', () => {
    const providerOptions = { openai: { top_k: 1 }, mock: { seed: 2 } };
    const target = { name: 'main', provider: 'mock', model: 'm', stream: false } as const;
    const { body } = wire(adapterFor('mock', 'responses').request(chatOf({ providerOptions }), target));
    expect(body).toMatchObject({ seed: 2 });
    expect(body).not.toHaveProperty('top_k');
  });
});
