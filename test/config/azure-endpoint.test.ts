import { describe, expect, it } from 'vitest';

import { azureEndpoint } from '../../src/core/azure-endpoint.ts';
import { configErrorOf, loadEnvironment, loadText } from './loading.ts';

const RESOURCE = 'https://r.openai.azure.com';

function target(provider: string, baseUrl: string): string {
  return `targets: [{ name: a, provider: ${provider}, base_url: "${baseUrl}", api_key: k, model: my-deployment }]`;
}

describe("a base URL of Azure OpenAI's", () => {
  it.each([
    [`${RESOURCE}/openai/v1`, 'responses'],
    [`${RESOURCE}/openai/v1?api-version=preview`, 'responses'],
    [`${RESOURCE}/openai?api-version=2024-10-21`, 'chat_completions'],
    [`${RESOURCE}/openai/deployments/my-deployment?api-version=2025-04-01-preview`, 'chat_completions'],
  ])('%s is used as it is, with %s where no API is chosen', (baseUrl, api) => {
    expect(loadText(target('azure-openai', baseUrl)).targets).toMatchObject([{ baseUrl, api }]);
  });

  it.each([
    '?api-version=',
    '?api-version=2024-10-21&key=hidden',
    '?key=hidden&api-version=2024-10-21',
    '?api-version=2024-10-21#hidden',
    '?api-version=2024%2010',
    '?key=hidden',
    '?',
  ])('is refused with the query %s', (query) => {
    const message = configErrorOf(() => loadText(target('azure-openai', `${RESOURCE}/openai${query}`)));
    expect(message).toBe(`targets[0].base_url: must not hold a query or fragment, not "${RESOURCE}/…"`);
  });

  it.each(['openai', 'anthropic', 'deepseek', 'ollama'])('may have a version, one of %s must not', (provider) => {
    const message = configErrorOf(() => loadText(target(provider, 'https://x.example/v1?api-version=2024-10-21')));
    expect(message).toBe('targets[0].base_url: must not hold a query or fragment, not "https://x.example/…"');
  });

  it('may have a version in the environment, too, where the path of the API is added', () => {
    const env = {
      AZURE_OPENAI_API_KEY: 'k',
      AZURE_OPENAI_DEPLOYMENT: 'd',
      AZURE_OPENAI_ENDPOINT: `${RESOURCE}?api-version=2024-10-21`,
    };
    expect(loadEnvironment(env).targets[0]?.baseUrl).toBe(`${RESOURCE}/openai?api-version=2024-10-21`);
  });
});

describe('an endpoint of Azure OpenAI', () => {
  it.each([
    [`${RESOURCE}/openai/v1`, { baseUrl: `${RESOURCE}/openai/v1`, isDated: false }],
    [
      `${RESOURCE}/openai/v1/?api-version=preview`,
      { baseUrl: `${RESOURCE}/openai/v1`, apiVersion: 'preview', isDated: false },
    ],
    [
      `${RESOURCE}/openai/?api-version=2024-10-21`,
      { baseUrl: `${RESOURCE}/openai`, apiVersion: '2024-10-21', isDated: true },
    ],
    ['no url', { baseUrl: 'no url', isDated: false }],
  ])('is read from %s', (baseUrl, expected) => {
    expect(azureEndpoint(baseUrl)).toEqual(expected);
  });
});
