import { describe, expect, test } from 'vitest';

import { createConfig } from '../../../src/config/load.ts';
import { configErrorOf, loadText } from '../loading.ts';

const openai = (key: string) => `targets: [{ name: a, provider: openai, api_key: "${key}" }]`;

/** Loads a file of which the secrets are these. */
function loadWith(text: string, files: Readonly<Record<string, string>>) {
  return loadText(text, {}, { readFile: (path) => (path === '/etc/understudy.yaml' ? text : content(files, path)) });
}

function content(files: Readonly<Record<string, string>>, path: string): string {
  const text = files[path];
  if (text === undefined) throw Object.assign(new Error('not there'), { code: 'ENOENT' });
  return text;
}

describe('a secret in a file', () => {
  test.each(['sk-one', 'sk-one\n', 'sk-one\r\n', '\uFEFFsk-one\n\n'])(
    'that holds %j is taken without what ends it',
    (text) => {
      expect(loadWith(openai('${file:/run/key}'), { '/run/key': text }).targets[0]?.apiKey).toBe('sk-one');
    },
  );

  test('may be a part of a text, and is not looked through itself', () => {
    const text = 'ledger: { postgres: "postgres://u:${file:/run/password}@db/u" }';
    const { ledger } = loadWith(text, { '/run/password': 'p-${HOME}' });
    expect(JSON.stringify(ledger)).toContain('postgres://u:p-${HOME}@db/u');
  });

  test('is found beside the config file where its path is relative, and is named once for whoever watches it', () => {
    const text =
      'targets: [{ name: a, provider: openai, api_key: "${file:secrets/k}" }, { name: b, provider: anthropic, api_key: "${file:/etc/secrets/k}" }]';
    const { targets, secretFiles } = loadWith(text, { '/etc/secrets/k': 'k1' });
    expect(targets.map(({ apiKey }) => apiKey)).toEqual(['k1', 'k1']);
    expect(secretFiles).toEqual(['/etc/secrets/k']);
  });

  test.each([
    ['${file:/run/none}', 'targets[0].api_key: the file "/run/none" cannot be read (ENOENT)'],
    ['${file:/run/empty}', 'targets[0].api_key: the file "/run/empty" is empty'],
    ['${file:}', 'targets[0].api_key: `${file:` must be followed by a path and `}`'],
    ['${file:hidden-secret}', 'targets[0].api_key: the file cannot be read (ENOENT)'],
  ])('that cannot be had is refused with the field: %s', (key, message) => {
    expect(configErrorOf(() => loadWith(openai(key), { '/run/empty': '\n' }))).toBe(message);
  });

  test('is not shown where it breaks a rule', () => {
    const message = configErrorOf(() => loadWith(openai('${file:/run/key}'), { '/run/key': 'sk hidden' }));
    expect(message).toBe('targets[0].api_key: must be a text of printable ASCII characters without spaces');
  });

  test('is not read for a program that embeds the gateway', () => {
    const config = { targets: [{ name: 'a', provider: 'openai' as const, api_key: '${file:/run/key}' }] };
    expect(configErrorOf(() => createConfig({ config }))).toBe(
      'targets[0].api_key: `${file:…}` stands in config files alone',
    );
  });
});
