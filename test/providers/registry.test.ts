import { readdirSync, readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { isCompatible, PROVIDERS } from '../../src/core/provider.ts';
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

  it('knows of every model whether it may be silent for long', () => {
    const silent = (model: string) =>
      EVERY_ADAPTER.filter(({ adapter }) => adapter.mayBeSilent(model)).map(
        ({ provider, path }) => `${provider} ${path}`,
      );
    const always = ['deepseek /chat/completions', 'ollama /api/chat'];
    expect(silent('gpt-4o').toSorted()).toEqual([...always, 'anthropic /v1/messages'].toSorted());
    expect(silent('gpt-5.1')).toEqual(expect.arrayContaining(['openai /responses', 'openai /chat/completions']));
    // Of a model that nothing is known of.
    expect(silent('m').toSorted()).toEqual(
      [
        ...always,
        'anthropic /v1/messages',
        'azure-openai /chat/completions',
        'azure-openai /responses',
        'openai /responses',
      ].toSorted(),
    );
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
