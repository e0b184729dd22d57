import { describe, expect, test } from 'vitest';

import { configErrorOf, loadEnvironment, loadText } from '../loading.ts';

describe('blanks and quotes, as env files leave them,', () => {
  test.each(['"k1"', "'k1'", '`k1`', ' k1 ', '"k1"\r', ' " k1 " ', `"'k1'"`])('are taken off a key: %j', (key) => {
    expect(loadEnvironment({ OPENAI_API_KEY: key }).targets[0]?.apiKey).toBe('k1');
    const file = `targets: [{ name: a, provider: openai, api_key: ${JSON.stringify(key)} }]`;
    expect(loadText(file).targets[0]?.apiKey).toBe('k1');
    expect(loadText('targets: [{ name: a, provider: openai, api_key: "${K}" }]', { K: key }).targets[0]?.apiKey).toBe(
      'k1',
    );
  });

  test('are taken off URLs, models and addresses', () => {
    const config = loadEnvironment({
      OPENAI_API_KEY: 'k',
      OPENAI_BASE_URL: '"http://x/v1"',
      OPENAI_MODEL: "'m1'",
      UNDERSTUDY_GRPC_ADDRESS: '"127.0.0.1:1"',
    });
    expect(config.targets).toMatchObject([{ baseUrl: 'http://x/v1', model: 'm1' }]);
    expect(config.server.grpcAddress).toBe('127.0.0.1:1');
    const file = `targets: [{ name: a, provider: openai, base_url: " 'http://x/v1' ", model: '"m1"', models: [" m2 "] }]`;
    expect(loadText(file).targets).toMatchObject([{ baseUrl: 'http://x/v1', models: ['m1', 'm2'] }]);
  });

  test('that have lost their other half are refused', () => {
    const message = configErrorOf(() => loadEnvironment({ OPENAI_API_KEY: '"hidden', OPENAI_MODEL: "m'" }));
    expect(message?.split('\n')).toEqual([
      'OPENAI_API_KEY: must not begin or end with a quote',
      `OPENAI_MODEL: must not begin or end with a quote, not "m'"`,
    ]);
  });
});
