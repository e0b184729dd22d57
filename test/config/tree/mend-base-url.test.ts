import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { PROVIDERS } from '../../../src/core/provider.ts';
import { mendBaseUrl } from '../../../src/config/tree/mend-base-url.ts';
import { configErrorOf, loadEnvironment, loadText } from '../loading.ts';

const AZURE = 'https://r.openai.azure.com';
const DATED = '?api-version=2025-01-01-preview';

describe('a base URL that is the address of something below it', () => {
  test.each([
    ['openai', 'http://x/v1/chat/completions', 'http://x/v1', 'ends in /chat/completions, which is left out'],
    ['openai', 'http://x/v1/responses/', 'http://x/v1', 'ends in /responses, which is left out'],
    ['openai', 'http://x/v1/completions', 'http://x/v1', 'ends in /completions, which is left out'],
    ['openai', 'http://x/v1/chat', 'http://x/v1', 'ends in /chat, which is left out'],
    ['openai', 'http://x/v1/models', 'http://x/v1', 'ends in /models, which is left out'],
    [
      'openai',
      'http://x/v1/chat/completions/chat/completions',
      'http://x/v1',
      'ends in /chat/completions, which is left out',
    ],
    ['openai', 'http://x/v1/v1', 'http://x/v1', 'ends in /v1, which is left out'],
    ['openai', 'https://api.openai.com', 'https://api.openai.com/v1', 'is taken with the path /v1'],
    ['openai', 'https://api.openai.com/openai/v1', 'https://api.openai.com/v1', 'is taken with the path /v1'],
    ['groq', 'https://api.groq.com/v1', 'https://api.groq.com/openai/v1', 'is taken with the path /openai/v1'],
    ['mistral', 'https://api.mistral.ai/', 'https://api.mistral.ai/v1', 'is taken with the path /v1'],
    [
      'deepseek',
      'https://api.deepseek.com/chat/completions',
      'https://api.deepseek.com',
      'ends in /chat/completions, which is left out',
    ],
    ['anthropic', 'https://api.anthropic.com/v1', 'https://api.anthropic.com', 'ends in /v1, which is left out'],
    ['anthropic', 'http://x/p/v1/messages', 'http://x/p', 'ends in /v1/messages, which is left out'],
    [
      'anthropic',
      'http://x/v1/messages/count_tokens',
      'http://x',
      'ends in /v1/messages/count_tokens, which is left out',
    ],
    ['ollama', 'http://localhost:11434/v1', 'http://localhost:11434', 'ends in /v1, which is left out'],
    ['ollama', 'http://localhost:11434/api/', 'http://localhost:11434', 'ends in /api, which is left out'],
    ['ollama', 'http://h/ollama/api/chat', 'http://h/ollama', 'ends in /api/chat, which is left out'],
    ['ollama', 'http://h/v1/chat/completions', 'http://h', 'ends in /v1/chat/completions, which is left out'],
  ] as const)('of %s, %s, is taken as %s', (provider, text, baseUrl, note) => {
    expect(mendBaseUrl(provider, text)).toMatchObject({ baseUrl, note });
  });

  test.each([
    ['openai', 'http://x/v1'],
    ['openai', 'https://openrouter.ai/api/v1'],
    ['openai', 'https://x/v1beta/openai'],
    ['openai', 'https://api.openai.com/v2'],
    ['deepseek', 'https://api.deepseek.com'],
    ['deepseek', 'https://api.deepseek.com/v1'],
    ['deepseek', 'https://api.deepseek.com/beta'],
    ['anthropic', 'https://api.deepseek.com/anthropic'],
    ['ollama', 'http://h/ollama'],
    ['azure-openai', `${AZURE}/openai/v1`],
    ['azure-openai', `${AZURE}/openai${DATED}`],
    ['azure-openai', `${AZURE}/openai/v1?api-version=preview`],
    ['azure-openai', 'https://r.services.ai.azure.com/api/projects/p/openai/v1'],
    ['azure-openai', 'https://apim.example/azure'],
  ] as const)('is none: of %s, %s is used as it is', (provider, text) => {
    expect(mendBaseUrl(provider, text)).toEqual({ baseUrl: text, ...unsaid(provider) });
  });

  test.each([
    ['openai', 'http://x/v1/messages', 'ends in /messages: set provider: anthropic, or'],
    ['openai', 'https://api.moonshot.ai/anthropic', 'ends in /anthropic: set provider: anthropic, or'],
    ['openai', 'http://localhost:11434/api/chat', 'ends in /api/chat: set provider: ollama, or'],
    ['openai', `${AZURE}/openai/deployments/d/chat/completions${DATED}`, 'is an address of Azure OpenAI: set provider'],
    ['anthropic', 'http://x/v1/chat/completions', 'ends in /chat/completions: set provider: openai, or'],
    ['azure-openai', `${AZURE}/openai/deployments/dep`, 'names a deployment, and so must end in ?api-version=…'],
    ['azure-openai', 'https://r.services.ai.azure.com/api/projects/p', 'is an address of Azure AI Foundry'],
    [
      'azure-openai',
      `https://r.services.ai.azure.com/models/chat/completions${DATED}`,
      'is an address of Azure AI Foundry',
    ],
  ] as const)('of another API is refused with the right form: of %s, %s %s', (provider, text, words) => {
    const file = `targets: [{ name: a, provider: ${provider}, api_key: k, model: m, base_url: "${text}" }]`;
    expect(configErrorOf(() => loadText(file))).toMatch(new RegExp(String.raw`^targets\[0\]\.base_url: `));
    expect(configErrorOf(() => loadText(file))).toContain(words);
  });

  test('is asked for the API that it is the address of, where none is chosen', () => {
    const file = (fields: string) => `targets: [{ name: a, provider: openai, api_key: k, model: m, ${fields} }]`;
    const apiOf = (fields: string) => loadText(file(fields)).targets[0]?.api;
    expect(apiOf('base_url: "http://x/v1/responses"')).toBe('responses');
    expect(apiOf('base_url: "https://api.openai.com/v1/chat/completions"')).toBe('chat_completions');
    expect(apiOf('base_url: "http://x/v1/responses", api: chat_completions')).toBe('chat_completions');
  });
});

describe("an address of Azure OpenAI's", () => {
  test.each([
    [AZURE, `${AZURE}/openai/v1`],
    [`${AZURE}/openai/`, `${AZURE}/openai/v1`],
    [`${AZURE}/v1`, `${AZURE}/openai/v1`],
    [`${AZURE}/openai/openai/v1`, `${AZURE}/openai/v1`],
    [`${AZURE}/openai/v1/chat/completions`, `${AZURE}/openai/v1`],
    [DATED, `/openai${DATED}`],
    [`/openai/responses${DATED}`, `/openai${DATED}`],
    [`/openai/deployments/dep/chat/completions${DATED}`, `/openai/deployments/dep${DATED}`],
  ])('%s is taken as %s', (text, baseUrl) => {
    const whole = (part: string) => (part.startsWith('https:') ? part : `${AZURE}${part}`);
    expect(mendBaseUrl('azure-openai', whole(text))).toMatchObject({
      baseUrl: whole(baseUrl),
      note: expect.any(String),
    });
  });

  test('that the portal shows names the deployment, which need not be said again', () => {
    const uri = `${AZURE}/openai/deployments/dep/chat/completions${DATED}`;
    const { targets, warnings } = loadText(
      `targets: [{ name: a, provider: azure-openai, api_key: k, base_url: "${uri}" }]`,
    );
    expect(targets).toMatchObject([{ model: 'dep', api: 'chat_completions' }]);
    expect(warnings).toEqual(['targets[0].base_url ends in /chat/completions, which is left out']);
  });

  test('may stand in the variable of the endpoint, as the portal shows it', () => {
    const env = {
      AZURE_OPENAI_API_KEY: 'k',
      AZURE_OPENAI_DEPLOYMENT: 'dep',
      AZURE_OPENAI_ENDPOINT: `${AZURE}/openai/deployments/dep/chat/completions${DATED}`,
    };
    const { targets, warnings } = loadEnvironment(env);
    expect(targets[0]?.baseUrl).toBe(`${AZURE}/openai/deployments/dep${DATED}`);
    expect(warnings).toEqual(['AZURE_OPENAI_ENDPOINT ends in /chat/completions, which is left out']);
  });
});

test('an address with another deployment than the model is pointed out, for its deployment answers', () => {
  const url = `${AZURE}/openai/deployments/dep${DATED}`;
  const words = 'names another deployment than the model: that one answers, whatever is asked for';
  const file = `targets: [{ name: a, provider: azure-openai, api_key: k, model: m, base_url: "${url}" }]`;
  expect(loadText(file).warnings).toEqual([`targets[0].base_url ${words}`]);
  const env = { AZURE_OPENAI_API_KEY: 'k', AZURE_OPENAI_DEPLOYMENT: 'm', AZURE_OPENAI_ENDPOINT: url };
  expect(loadEnvironment(env).warnings).toEqual([`AZURE_OPENAI_ENDPOINT ${words}`]);
});

test('what was put right in the environment is said with the name of the variable', () => {
  const env = {
    OLLAMA_BASE_URL: 'http://localhost:11434/v1',
    ANTHROPIC_API_KEY: 'k',
    ANTHROPIC_BASE_URL: 'https://x/v1',
  };
  expect(loadEnvironment(env).warnings).toEqual([
    'ANTHROPIC_BASE_URL ends in /v1, which is left out',
    'OLLAMA_BASE_URL ends in /v1, which is left out',
  ]);
});

test('a server of other people without a path is pointed out', () => {
  expect(mendBaseUrl('openai', 'http://vllm:8000')).toMatchObject({
    baseUrl: 'http://vllm:8000',
    note: "has no path: most servers that speak OpenAI's API have it at /v1",
  });
  expect(mendBaseUrl('deepseek', 'http://relay:8000')).toMatchObject({ note: undefined });
});

test('what was put right is not put right again, whatever it was', () => {
  const segments = [
    'v1',
    'api',
    'openai',
    'chat',
    'completions',
    'responses',
    'messages',
    'models',
    'deployments',
    'x',
  ];
  const hosts = [AZURE, 'https://api.openai.com', 'https://api.groq.com', 'https://api.anthropic.com', 'http://x:1'];
  fc.assert(
    fc.property(
      fc.constantFrom(...PROVIDERS),
      fc.constantFrom(...hosts),
      fc.array(fc.constantFrom(...segments, ''), { maxLength: 6 }),
      fc.constantFrom('', DATED),
      fc.boolean(),
      (provider, host, path, query, isResource) => {
        const mended = mendBaseUrl(provider, `${host}${path.map((step) => `/${step}`).join('')}${query}`, isResource);
        if ('wrong' in mended) return;
        const again = mendBaseUrl(provider, mended.baseUrl, isResource);
        if ('wrong' in again) throw new Error(`${mended.baseUrl}: ${again.wrong}`);
        expect(again.baseUrl).toBe(mended.baseUrl);
      },
    ),
    { numRuns: 3_000 },
  );
});

function unsaid(provider: string) {
  return provider === 'azure-openai'
    ? { note: undefined, api: undefined, deployment: undefined }
    : { note: undefined, ...(provider === 'openai' || provider === 'deepseek' ? { api: undefined } : {}) };
}
