import { describe, expect, test } from 'vitest';

import { COMPATIBLE_PROVIDERS, PROVIDERS } from '../../src/core/provider.ts';
import type { Environment } from '../../src/config/port/resolved.ts';
import { configErrorOf, loadEnvironment } from './loading.ts';

const AZURE: Environment = {
  AZURE_OPENAI_API_KEY: 'azure-key',
  AZURE_OPENAI_ENDPOINT: 'https://example.openai.azure.com',
  AZURE_OPENAI_DEPLOYMENT: 'my-deployment',
};

const ALL: Environment = {
  ...Object.fromEntries(COMPATIBLE_PROVIDERS.map(({ name }) => [`${name.toUpperCase()}_API_KEY`, `${name}-key`])),
  OLLAMA_BASE_URL: 'http://localhost:11434/',
  DEEPSEEK_API_KEY: 'deepseek-key',
  ANTHROPIC_API_KEY: 'anthropic-key',
  OPENAI_API_KEY: 'openai-key',
  ...AZURE,
};

describe('providers in the environment', () => {
  test('form the chain in the fixed order, whatever the order of the variables', () => {
    const config = loadEnvironment(ALL);
    const names = PROVIDERS.filter((provider) => provider !== 'mock');
    expect(config.targets.map((target) => target.name)).toEqual(names);
    expect(config.targets.map((target) => target.provider)).toEqual(names);
    expect(config.routes).toEqual([{ name: 'default', entries: names.map((target) => ({ target })) }]);
    expect(config.warnings).toEqual([]);
    expect(config.demo).toBe(false);
  });

  test('have the base URLs, models and APIs of their providers', () => {
    expect(loadEnvironment(ALL).targets.map(({ baseUrl, model, api }) => [baseUrl, model, api])).toEqual([
      ['https://example.openai.azure.com/openai/v1', 'my-deployment', 'responses'],
      ['https://api.openai.com/v1', 'gpt-6.1-sol', 'responses'],
      ['https://api.anthropic.com', 'claude-sonnet-5-5', undefined],
      ['https://api.deepseek.com', 'deepseek-flash', undefined],
      ['http://localhost:11434', undefined, undefined],
      ...COMPATIBLE_PROVIDERS.map(({ baseUrl, model }) => [baseUrl, model, undefined]),
    ]);
  });

  test('are resolved whole', () => {
    expect(loadEnvironment({ OPENAI_API_KEY: ' openai-key\n', OPENAI_ORG_ID: 'org-1' }).targets).toEqual([
      {
        name: 'openai',
        provider: 'openai',
        baseUrl: 'https://api.openai.com/v1',
        ownHost: true,
        apiKey: 'openai-key',
        organization: 'org-1',
        model: 'gpt-6.1-sol',
        api: 'responses',
        models: ['gpt-6.1-sol'],
        prices: [],
        limitGroup: 'openai',
        timeouts: {},
        mock: false,
        source: 'environment (OPENAI_API_KEY)',
      },
    ]);
  });

  test('take their default models from <PROVIDER>_MODEL', () => {
    const config = loadEnvironment({
      ...ALL,
      AZURE_OPENAI_MODEL: 'other-deployment',
      OPENAI_MODEL: 'gpt-6-luna',
      ANTHROPIC_MODEL: 'claude-haiku-5-5',
      DEEPSEEK_MODEL: 'deepseek-v4-pro',
      OLLAMA_MODEL: 'llama3.2:3b',
      ...Object.fromEntries(
        COMPATIBLE_PROVIDERS.map(({ name }) => [`${name.toUpperCase()}_MODEL`, `a-model-of-${name}`]),
      ),
    });
    expect(config.targets.map((target) => target.models)).toEqual([
      ['other-deployment', 'my-deployment'],
      ['gpt-6-luna'],
      ['claude-haiku-5-5'],
      ['deepseek-v4-pro'],
      ['llama3.2:3b'],
      ...COMPATIBLE_PROVIDERS.map(({ name }) => [`a-model-of-${name}`]),
    ]);
    expect(config.targets.map((target) => target.model)).toEqual(config.targets.map((target) => target.models[0]));
  });

  test.each([
    ['https://eu.api.openai.com/v1', 'responses'],
    ['https://API.openai.com/v1/', 'responses'],
    ['http://localhost:8000/v1', 'chat_completions'],
    ['https://api.openai.com.example.com/v1', 'chat_completions'],
    ['https://notapi.openai.com/v1', 'chat_completions'],
  ])('behind OPENAI_BASE_URL=%s speak %s', (url, api) => {
    const [target] = loadEnvironment({ OPENAI_API_KEY: 'k', OPENAI_BASE_URL: url }).targets;
    expect(target?.api).toBe(api);
    expect(target?.baseUrl).toBe(url.replace(/\/$/, ''));
  });

  test.each([
    ['https://example.openai.azure.com/', 'https://example.openai.azure.com/openai/v1', 'responses'],
    [
      'https://example.services.ai.azure.com/openai/v1/',
      'https://example.services.ai.azure.com/openai/v1',
      'responses',
    ],
    ['https://gateway.example.com/azure', 'https://gateway.example.com/azure/openai/v1', 'chat_completions'],
  ])('behind AZURE_OPENAI_ENDPOINT=%s are called at %s with %s', (endpoint, baseUrl, api) => {
    const [target] = loadEnvironment({ ...AZURE, AZURE_OPENAI_ENDPOINT: endpoint }).targets;
    expect(target?.baseUrl).toBe(baseUrl);
    expect(target?.api).toBe(api);
  });

  test('are not there where their variables are empty', () => {
    const config = loadEnvironment({ OPENAI_API_KEY: '', ANTHROPIC_API_KEY: '  ', OPENAI_MODEL: undefined });
    expect(config.targets).toEqual([]);
    expect(config.warnings).toEqual([]);
  });

  test.each([
    [
      { AZURE_OPENAI_API_KEY: 'k', AZURE_OPENAI_DEPLOYMENT: 'd' },
      'azure-openai is left out: AZURE_OPENAI_ENDPOINT is not set, although AZURE_OPENAI_API_KEY, AZURE_OPENAI_DEPLOYMENT are set',
    ],
    [
      { AZURE_OPENAI_API_KEY: 'k', AZURE_OPENAI_ENDPOINT: '' },
      'azure-openai is left out: AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_DEPLOYMENT are not set, although AZURE_OPENAI_API_KEY is set',
    ],
    [
      { OPENAI_BASE_URL: 'http://localhost:8000/v1' },
      'openai is left out: OPENAI_API_KEY is not set, although OPENAI_BASE_URL is set',
    ],
    [{ OLLAMA_MODEL: 'qwen3' }, 'ollama is left out: OLLAMA_BASE_URL is not set, although OLLAMA_MODEL is set'],
  ])('that are configured in part are left out with a warning: %j', (env, warning) => {
    const config = loadEnvironment(env);
    expect(config.targets).toEqual([]);
    expect(config.warnings).toEqual([warning]);
  });

  test('with bad values are refused, all at once, without the values that may be secret', () => {
    const message = configErrorOf(() =>
      loadEnvironment({
        OPENAI_API_KEY: 'sk-one two',
        OPENAI_BASE_URL: 'https://me:hunter2@api.openai.com/v1',
        ANTHROPIC_API_KEY: 'sk-ä',
        ANTHROPIC_BASE_URL: 'api.anthropic.com/sk-hidden',
        DEEPSEEK_API_KEY: 'k',
        DEEPSEEK_BASE_URL: 'ftp://api.deepseek.com/sk-hidden',
        OLLAMA_BASE_URL: 'http://localhost:11434?key=hidden',
        UNDERSTUDY_MOCK: 'yes',
        UNDERSTUDY_GRPC_ADDRESS: '50051',
      }),
    );
    expect(message?.split('\n')).toEqual([
      'UNDERSTUDY_MOCK: must be 1 or 0, not "yes"',
      'OPENAI_API_KEY: must be a text of printable ASCII characters without spaces',
      'OPENAI_BASE_URL: must not hold a user name or password; use api_key (the value may hold a secret and is not shown)',
      'ANTHROPIC_API_KEY: must be a text of printable ASCII characters without spaces',
      'ANTHROPIC_BASE_URL: must be a URL that begins with http:// or https://, not "api.anthropic.com/…"',
      'DEEPSEEK_BASE_URL: must be a URL that begins with http:// or https://, not "ftp://api.deepseek.com/…"',
      'OLLAMA_BASE_URL: must not hold a query or fragment, not "http://localhost:11434/…"',
      'UNDERSTUDY_GRPC_ADDRESS: must be host:port, such as 127.0.0.1:50051, localhost:50051 or [::1]:50051, not "50051"',
    ]);
  });
});

describe('with nothing configured', () => {
  test('there is no target and an empty default route', () => {
    const config = loadEnvironment({});
    expect(config).toMatchObject({
      targets: [],
      routes: [{ name: 'default', entries: [] }],
      demo: false,
      warnings: [],
    });
  });

  test('--demo answers from the mock', () => {
    const config = loadEnvironment({}, { demo: true });
    expect(config.demo).toBe(true);
    expect(config.routes).toEqual([{ name: 'default', entries: [{ target: 'mock' }] }]);
    expect(config.targets).toMatchObject([
      {
        name: 'mock',
        provider: 'mock',
        model: 'mock-ok',
        mock: true,
        source: '--demo',
        baseUrl: 'http://mock.invalid/v1',
        ownHost: true,
      },
    ]);
  });

  test('--demo answers from Ollama where one was found', () => {
    const config = loadEnvironment({}, { demo: true, ollamaFound: true });
    expect(config.demo).toBe(false);
    expect(config.targets).toMatchObject([
      {
        name: 'ollama',
        baseUrl: 'http://localhost:11434',
        ownHost: false,
        model: undefined,
        mock: false,
        source: '--demo (Ollama was found running)',
      },
    ]);
  });

  test('an Ollama that was found is not used without --demo, nor against UNDERSTUDY_MOCK', () => {
    expect(loadEnvironment({}, { ollamaFound: true }).targets).toEqual([]);
    const mocked = loadEnvironment({ UNDERSTUDY_MOCK: '1' }, { demo: true, ollamaFound: true });
    expect(mocked.targets.map((target) => target.name)).toEqual(['mock']);
  });

  test('--demo changes nothing but the ledger where a provider is found', () => {
    const env = { DEEPSEEK_API_KEY: 'k' };
    const { ledger, ...rest } = loadEnvironment(env, { demo: true, ollamaFound: true });
    expect({ ...rest, ledger: undefined }).toEqual(loadEnvironment(env));
    expect(ledger).toMatchObject({ isOptional: true });
  });
});

describe('UNDERSTUDY_MOCK', () => {
  test('makes every target a mock in place of its provider and leaves everything else as it is', () => {
    const real = loadEnvironment(ALL);
    const mocked = loadEnvironment({ ...ALL, UNDERSTUDY_MOCK: '1' });
    expect(real.targets.some((target) => target.mock)).toBe(false);
    expect(mocked.targets).toEqual(
      real.targets.map((target) => Object.assign({}, target, { mock: true, ownHost: true })),
    );
  });

  test('is no provider by itself, and says so', () => {
    const config = loadEnvironment({ UNDERSTUDY_MOCK: '1' });
    expect(config.targets).toEqual([]);
    expect(config.warnings).toEqual(['UNDERSTUDY_MOCK is set, but there is no target that could be a mock']);
  });

  test.each(['0', 'false', ''])('%j is off', (value) => {
    expect(loadEnvironment({ OPENAI_API_KEY: 'k', UNDERSTUDY_MOCK: value }).targets[0]?.mock).toBe(false);
  });
});
