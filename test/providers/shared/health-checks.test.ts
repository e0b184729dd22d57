import { describe, expect, it } from 'vitest';

import { PROVIDERS } from '../../../src/core/provider.ts';
import type { HealthCheck } from '../../../src/providers/port/adapter.ts';
import { adapterFor } from '../../../src/providers/registry.ts';

function checkOf(provider: (typeof PROVIDERS)[number]): HealthCheck {
  const { healthCheck } = adapterFor(provider, 'chat_completions');
  if (healthCheck === undefined) throw new Error(`${provider} has no free call`);
  return healthCheck;
}

describe.each(PROVIDERS)('the free call of %s', (provider) => {
  const check = checkOf(provider);

  it('is a question for something that exists anyway, never for an answer of a model', () => {
    expect(check.path).toMatch(/^\/(v1\/)?(models(\?limit=1)?|user\/balance|api\/tags)$/);
    expect(check.tells).toContain('PROVIDER_AUTH_FAILED');
  });

  it('says unusable where the key is refused, and nothing where somebody else answers', () => {
    expect([401, 402, 403].map((status) => check.read(status, '{}'))).toEqual(['unusable', 'unusable', 'unusable']);
    for (const status of [204, 301, 404, 429, 500, 503]) expect(check.read(status, '{"data":[]}')).toBe('unknown');
    for (const body of ['', '<html>', '[]', '"text"', '{"data":[', 'null'])
      expect(check.read(200, body)).toBe('unknown');
  });
});

describe('a list of models', () => {
  it('says that the key is good, and nothing of credit', () => {
    for (const provider of PROVIDERS.filter((name) => name !== 'deepseek')) {
      expect(checkOf(provider).read(200, '{"data":[],"models":[]}')).toBe('usable');
      expect(checkOf(provider).tells).toEqual(['PROVIDER_AUTH_FAILED']);
    }
  });
});

describe('the balance of DeepSeek', () => {
  it('says whether the account has money left', () => {
    const { read, tells } = checkOf('deepseek');
    expect(tells).toContain('PROVIDER_QUOTA_EXHAUSTED');
    expect(read(200, '{"is_available":true,"balance_infos":[]}')).toBe('usable');
    expect(read(200, '{"is_available":false,"balance_infos":[]}')).toBe('unusable');
    expect(read(200, '{"is_available":"yes"}')).toBe('unknown');
  });
});
