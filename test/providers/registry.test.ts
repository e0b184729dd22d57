import { describe, expect, it } from 'vitest';
import { adapterFor } from '../../src/providers/registry.ts';
import { chatOf, wire } from '../support/chat-samples.ts';

describe('the registry', () => {
  it.each(['openai', 'azure-openai'] as const)('has an adapter of %s for each of its APIs', (provider) => {
    const target = { name: 'main', provider, model: 'gpt-4o', stream: true };
    expect(wire(adapterFor(provider, 'responses').request(chatOf({}), target)).path).toBe('/responses');
    expect(wire(adapterFor(provider, 'chat_completions').request(chatOf({}), target)).path).toBe('/chat/completions');
  });

  it.each(['deepseek', 'mock'] as const)('answers for %s with Chat Completions, whatever the API', (provider) => {
    const target = { name: 'main', provider, model: 'm', stream: true };
    expect(wire(adapterFor(provider, 'responses').request(chatOf({}), target)).path).toBe('/chat/completions');
  });

  it('sends nothing for one provider under the name of another', () => {
    const providerOptions = { openai: { top_k: 1 }, mock: { seed: 2 } };
    const target = { name: 'main', provider: 'mock', model: 'm', stream: false } as const;
    const { body } = wire(adapterFor('mock', 'responses').request(chatOf({ providerOptions }), target));
    expect(body).toMatchObject({ seed: 2 });
    expect(body).not.toHaveProperty('top_k');
  });
});
