import { describe, expect, test } from 'vitest';

import { describeStartup } from '../../../src/config/summary.ts';
import { configErrorOf, loadEnvironment } from '../loading.ts';

const OPENAI = { OPENAI_API_KEY: 'k' };
const LOCAL = { OLLAMA_BASE_URL: 'http://localhost:11434' };
const AWAY = { OLLAMA_BASE_URL: 'http://ollama.internal:11434' };
const RULE = 'must be the URL of a proxy, such as http://proxy.internal:3128';

/** Returns the origins of the proxies of targets. */
function proxiesFor(env: Readonly<Record<string, string>>) {
  return loadEnvironment(env).targets.map(({ proxy }) => proxy?.origin);
}

describe('a target is called through the proxy of the environment', () => {
  test.each<[Record<string, string>, readonly (string | undefined)[]]>([
    [{ HTTPS_PROXY: 'http://p:3128' }, ['http://p:3128', undefined]],
    [{ https_proxy: 'http://p:3128', HTTPS_PROXY: 'http://q:1' }, ['http://p:3128', undefined]],
    [{ HTTP_PROXY: 'http://p:3128' }, [undefined, 'http://p:3128']],
    [{ http_proxy: '"p:3128"' }, [undefined, 'http://p:3128']],
    [{ ALL_PROXY: 'https://p', http_proxy: 'http://q' }, ['https://p', 'http://q']],
    [{ HTTPS_PROXY: '', ALL_PROXY: 'http://p' }, ['http://p', 'http://p']],
    [{ ALL_PROXY: 'http://p', NO_PROXY: 'ollama.internal' }, ['http://p', undefined]],
    [{ ALL_PROXY: 'http://p', no_proxy: '*', NO_PROXY: 'x' }, [undefined, undefined]],
    [{ ALL_PROXY: 'socks5://p:1080', NO_PROXY: '*' }, [undefined, undefined]],
  ])('%j', (env, origins) => {
    expect(proxiesFor({ ...OPENAI, ...AWAY, ...env })).toEqual(origins);
  });

  test('but not one that the mock answers for, and the value is no matter then', () => {
    expect(proxiesFor({ ...OPENAI, UNDERSTUDY_MOCK: '1', HTTPS_PROXY: 'socks5://p' })).toEqual([undefined]);
  });

  test('with the credentials in its URL, decoded', () => {
    const [target] = loadEnvironment({ ...OPENAI, HTTPS_PROXY: 'http://me:p%40ss@p:3128' }).targets;
    const authorization = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
    expect(target?.proxy).toEqual({ origin: 'http://p:3128', authorization });
  });
});

describe('start-up', () => {
  test('says which targets are called through which proxy, and nothing of it but the host', () => {
    const env = { ...OPENAI, ANTHROPIC_API_KEY: 'k', ...AWAY, HTTPS_PROXY: 'http://me:hunter22@p:3128' };
    const text = describeStartup(loadEnvironment(env), {}, '0');
    expect(text).toContain('openai, anthropic: through the proxy p:3128\n');
    expect(text).not.toContain('hunter22');
    expect(text).not.toContain('ollama:');
  });

  test('warns of what a proxy is used for although it is on this machine', () => {
    expect(loadEnvironment({ ...LOCAL, HTTP_PROXY: 'http://p' }).warnings).toEqual([
      'ollama is on this machine and yet called through the proxy p; NO_PROXY=localhost keeps it away',
    ]);
  });

  test('warns where only the other scheme has a proxy', () => {
    expect(loadEnvironment({ ...OPENAI, HTTP_PROXY: 'http://p' }).warnings).toEqual([
      'HTTP_PROXY is set and HTTPS_PROXY is not: no proxy is used for openai',
    ]);
  });

  test.each([
    ['socks5://me:hidden@p:1080', `https_proxy: ${RULE}: SOCKS is not spoken`],
    ['http://', `https_proxy: ${RULE}`],
    ['http://me:hid#den@p:1', `https_proxy: ${RULE}`],
    ['http://me:%hidden@p:1', `https_proxy: ${RULE}`],
    ['http://p/hidden.pac', `https_proxy: ${RULE}`],
  ])('refuses what is no proxy, and does not show it: %s', (value, message) => {
    expect(configErrorOf(() => loadEnvironment({ ...OPENAI, https_proxy: value }))).toBe(message);
  });
});
