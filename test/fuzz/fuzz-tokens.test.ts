import { afterEach, expect, test, vi } from 'vitest';

import { fuzzTokens } from './fuzz-tokens.ts';

afterEach(() => vi.restoreAllMocks());

test('spoiled tokens are refused, at bounded work and without a word of them; those as they were issued are taken: 5,000 cases', async () => {
  const verify = vi.spyOn(globalThis.crypto.subtle, 'verify');
  const { findings, taken, refused, looks } = await fuzzTokens(1, 5_000, () => verify.mock.calls.length);
  expect(findings).toEqual([]);
  // Both ends happen, and most of what is refused is so before a signature is looked at.
  expect(taken).toBeGreaterThan(300);
  expect(looks).toBeGreaterThan(300);
  expect(looks).toBeLessThan(refused / 2);
});
