import { describe, expect, test } from 'vitest';

import { hideKeys, keysOf } from '../../src/config/port/hidden-keys.ts';
import { describeStartup } from '../../src/config/summary.ts';
import { configErrorOf, loadEnvironment, loadText } from './loading.ts';

/** In the forms of providers, and of none. */
const KEYS = {
  openai: `sk-proj-${'aB3_'.repeat(20)}x`,
  anthropic: `sk-ant-api03-${'xY9-'.repeat(20)}AA`,
  deepseek: `sk-${'0123456789abcdef'.repeat(2)}`,
  groq: `gsk_${'Qw3'.repeat(17)}z`,
  google: `AIza${'Sy0'.repeat(11)}_-`,
  azure: '0123456789abcdef'.repeat(2),
  'azure, new': '9aZ'.repeat(28),
};

/** Of no form at all, such as one's own gateway may have; with signs at which a URL is cut. */
const ODD = 'correct"horse/battery?staple';

describe.each(Object.entries(KEYS))('a key of %s', (_provider, key) => {
  test.each([
    'AZURE_OPENAI_ENDPOINT',
    'OPENAI_BASE_URL',
    'UNDERSTUDY_GRPC_ADDRESS',
    'UNDERSTUDY_MOCK',
    'UNDERSTUDY_ALLOW_UNAUTHENTICATED',
  ])('is not shown where it stands in %s', (variable) => {
    const env = {
      OPENAI_API_KEY: 'k',
      AZURE_OPENAI_API_KEY: 'k',
      AZURE_OPENAI_ENDPOINT: 'https://a.openai.azure.com',
      AZURE_OPENAI_DEPLOYMENT: 'd',
      [variable]: key,
    };
    const error = configErrorOf(() => loadEnvironment(env));
    expect(error).toContain(variable);
    expect(error).not.toContain(key.slice(-16));
    expect(error).not.toContain(key.slice(10, 26));
  });

  test('is not shown where it stands for a file, a variable, a field, a route or a model', () => {
    const nowhere = (): string => {
      throw Object.assign(new Error(), { code: 'ENOENT' });
    };
    const errors = [
      configErrorOf(() => loadEnvironment({}, { configPath: key, readFile: nowhere })),
      configErrorOf(() => loadText('targets: {', {}, { configPath: `/etc/${key}` })),
      configErrorOf(() => loadText(`targets: [{ name: a, provider: openai, api_key: '\${${key}}' }]`)),
      configErrorOf(() => loadText(`'${key}': 1`)),
      configErrorOf(() => loadText(`routes: [{ name: r, targets: ['${key}'] }]`)),
      configErrorOf(() => loadText(`targets: [{ name: a, provider: openai, api_key: k, model: ['${key}'] }]`)),
    ];
    for (const error of errors) {
      expect(error).toBeDefined();
      expect(error).not.toContain(key.slice(-16));
    }
  });

  test('is not shown at start where it stands for a model, a host, a target or a file', () => {
    const config = loadText(
      `targets: [{ name: 't-${key.slice(-30)}', provider: openai, api_key: '${key}', base_url: 'http://${key.replaceAll(/[_-]/g, '.')}.test' }]`,
      {},
      { configPath: `/etc/${key}` },
    );
    const table = describeStartup(config, {}, '1');
    expect(table).toContain('(hidden)');
    expect(table).not.toContain(key);
  });
});

test('a key of no known form is not shown where it equals one that is configured', () => {
  const errors = [
    configErrorOf(() => loadEnvironment({ OPENAI_API_KEY: ODD, UNDERSTUDY_GRPC_ADDRESS: ODD })),
    configErrorOf(() => loadEnvironment({ OPENAI_API_KEY: ODD, UNDERSTUDY_MOCK: ODD })),
    configErrorOf(() =>
      loadText(JSON.stringify({ targets: [{ name: 'a', provider: 'openai', api_key: ODD, mock: ODD }] })),
    ),
  ];
  for (const error of errors) {
    expect(error).toContain('(hidden)');
    for (const part of ['correct', 'battery', 'staple']) expect(error).not.toContain(part);
  }
});

test('a deployment that equals a configured key is refused; a word for no key may stand anywhere', () => {
  const azure = (key: string) =>
    configErrorOf(() =>
      loadEnvironment({
        AZURE_OPENAI_API_KEY: key,
        AZURE_OPENAI_ENDPOINT: 'https://a.openai.azure.com',
        AZURE_OPENAI_DEPLOYMENT: key,
      }),
    );
  expect(azure('correct-horse')).toBe('AZURE_OPENAI_DEPLOYMENT: must not have the value of a key');
  expect(azure('none')).toBeUndefined();
});

test('a model that is a key is refused, since models are shown to callers, in the log and in metrics', () => {
  expect(configErrorOf(() => loadEnvironment({ OPENAI_API_KEY: 'k', OPENAI_MODEL: KEYS.deepseek }))).toBe(
    'OPENAI_MODEL: must be the name of a model and no key, not "(hidden)"',
  );
});

test.each([
  'meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8',
  'ft:gpt-4o-mini-2024-07-18:my-org::9ABCdefG',
  'claude-haiku-4-5-20251001',
  'xai-grok-4-fast-reasoning',
  'anthropic.claude-sonnet-5-5-20260915-v1:0',
  'abcdef0123456789.us-east-1.aws.endpoints.huggingface.cloud',
  '/etc/understudy/understudy-production-2026.yaml',
  'the disk-management-service of task-force-1',
  'UNDERSTUDY_ALLOW_UNAUTHENTICATED',
])('names of models, hosts and files are shown: %s', (text) => {
  expect(hideKeys(text, [])).toBe(text);
});

test('keys are looked for in the variables that hold them, and short ones stand for nothing', () => {
  expect(keysOf({ OPENAI_API_KEY: ' a-long-one ', OPENAI_MODEL: 'm', GROQ_API_KEY: undefined })).toEqual([
    'a-long-one',
  ]);
  expect(hideKeys('none of these', ['none'])).toBe('none of these');
});
