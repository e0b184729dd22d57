import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { describeStartup } from '../../src/config/summary.ts';
import { configErrorOf, loadText } from './loading.ts';

/** Secrets as providers make them: long enough to be found again, and in part with signs that mean something in YAML or URLs. */
const secret = fc
  .tuple(
    fc.constantFrom('sk-', 'sk-ant-api03-', 'key:', '', '%41', '{', '"'),
    fc.stringMatching(/^[A-Za-z0-9_-]{12,60}$/),
  )
  .map(([prefix, rest]) => `${prefix}Q7${rest}`);

/** Where people put a secret, rightly or by mistake. */
const PLANTS: readonly ((secret: string) => unknown)[] = [
  (s) => ({ api_key: s }),
  (s) => ({ api_key: `${s} ` }),
  (s) => ({ api_key: [s] }),
  (s) => ({ api_key: { value: s } }),
  (s) => ({ apiKey: s }),
  (s) => ({ [`api_key:${s}`]: null }),
  (s) => ({ base_url: `https://user:${encodeURIComponent(s)}@example.com/v1` }),
  (s) => ({ base_url: `https://user:${s}@example.com/v1` }),
  (s) => ({ base_url: `https://example.com/v1?key=${s}` }),
  (s) => ({ base_url: `https://example.com/${encodeURIComponent(s)}/v1` }),
  (s) => ({ base_url: `ftp://example.com/${s}` }),
  (s) => ({ base_url: `example.com/${s}` }),
  (s) => ({ base_url: `https://example.com/#${s}` }),
  (s) => ({ timeouts: { api_key: s } }),
  (s) => ({ models: { key: s } }),
  (s) => ({ prices: [{ model: 'm', input: '1', output: '1', api_key: s }] }),
  (s) => ({ name: `a\napi_key: ${s}` }),
];

/** Fields that a variable may be put into by mistake: each fails its rule, and shows `${SECRET}` alone. */
const MISPLACED: readonly string[] = ['provider', 'mock', 'limit_group', 'timeouts', 'models', 'prices', 'api'];

const GOOD = { name: 'a', provider: 'openai', api_key: 'k', base_url: 'https://example.com/v1' };

test('a secret is never shown, wherever it stands in the file', () => {
  fc.assert(
    fc.property(secret, fc.constantFrom(...PLANTS), (value, plant) => {
      const planted = plant(value);
      const file = JSON.stringify({ targets: [typeof planted === 'object' ? { ...GOOD, ...planted } : planted] });
      expect(shownFor(file, {})).not.toContain(value.slice(-12));
    }),
    { numRuns: 400 },
  );
});

test('a secret of the environment is never shown, wherever it is put into the file', () => {
  fc.assert(
    fc.property(secret, fc.constantFrom(...MISPLACED, 'api_key', 'base_url'), (value, field) => {
      const file = JSON.stringify({
        targets: [{ ...GOOD, [field]: '${SECRET}' }],
        routes: [{ name: 'r', targets: ['a'] }],
      });
      expect(shownFor(file, { SECRET: value })).not.toContain(value.slice(-12));
    }),
    { numRuns: 300 },
  );
});

test('a secret of a file of its own is never shown, wherever it is put into the file', () => {
  fc.assert(
    fc.property(secret, fc.constantFrom(...MISPLACED, 'api_key', 'base_url'), (value, field) => {
      const file = JSON.stringify({ targets: [{ ...GOOD, [field]: '${file:/run/secret}' }] });
      const readFile = (path: string) => (path === '/run/secret' ? value : file);
      expect(shownFor(file, {}, readFile)).not.toContain(value.slice(-12));
    }),
    { numRuns: 300 },
  );
});

test('the password of a proxy and the secret of an identity are never shown', () => {
  fc.assert(
    fc.property(secret, fc.constantFrom('http://', 'socks5://', '', 'x'), (value, scheme) => {
      const env = {
        AZURE_OPENAI_ENDPOINT: 'https://example.openai.azure.com',
        AZURE_OPENAI_DEPLOYMENT: 'd',
        AZURE_CLIENT_ID: 'client',
        AZURE_TENANT_ID: value,
        AZURE_CLIENT_SECRET: value,
        HTTPS_PROXY: `${scheme}me:${value}@proxy:1`,
      };
      expect(shownFor('', env)).not.toContain(value.slice(-12));
    }),
    { numRuns: 200 },
  );
});

test('a secret in a variable of ours is never shown, be it valid or not', () => {
  const variables = [
    'AZURE_OPENAI_API_KEY',
    'OPENAI_API_KEY',
    'ANTHROPIC_API_KEY',
    'DEEPSEEK_API_KEY',
    'OPENAI_ORG_ID',
  ];
  fc.assert(
    fc.property(secret, fc.constantFrom('', ' x', 'ä', '\u0000'), (value, ending) => {
      const env = Object.fromEntries(variables.map((name) => [name, value + ending]));
      const azure = {
        AZURE_OPENAI_ENDPOINT: `https://example.openai.azure.com/${value}`,
        AZURE_OPENAI_DEPLOYMENT: 'd',
      };
      expect(shownFor('', { ...env, ...azure })).not.toContain(value.slice(-12));
    }),
    { numRuns: 200 },
  );
});

test('a secret is never shown where the file is cut or mixed up', () => {
  fc.assert(
    fc.property(
      secret,
      fc.nat(200),
      fc.constantFrom('', '{', ']', '\t', '"', '*', '!', ' ', '\n'),
      (value, at, noise) => {
        const file = `targets:\n  - name: a\n    provider: openai\n    api_key: ${value}\nserver: {}\n`;
        const cut = Math.min(at, file.indexOf(value));
        expect(shownFor(file.slice(0, cut) + noise + file.slice(cut), {})).not.toContain(value.slice(-12));
      },
    ),
    { numRuns: 400 },
  );
});

/** What people see of a file: its errors, or the summary at start. */
function shownFor(file: string, env: Record<string, string>, readFile = (_path: string) => file): string {
  let summary = '';
  const message = configErrorOf(() => {
    summary = describeStartup(loadText(file, env, { readFile }), { grpc: '[::1]:1' }, '1.2.3');
  });
  expect(message ?? summary).not.toBe('');
  return message ?? summary;
}
