import { expect, test } from 'vitest';

import { SpanIds } from '../../../src/telemetry/tracing/span-ids.ts';
import { mulberry32 } from '../../support/virtual-runtime.ts';

test.each([
  ['the least', () => 0],
  ['the most', () => 1 - Number.EPSILON / 2],
  ['any', mulberry32(7)],
])('ids have their lengths and are not all zeros, with %s of chance', (_name, random) => {
  const ids = new SpanIds(random);
  for (let made = 0; made < 100; made++) {
    expect(ids.trace()).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
    expect(ids.span()).toMatch(/^(?!0{16})[0-9a-f]{16}$/);
  }
});

test('ten thousand ids are all different', () => {
  const ids = new SpanIds(mulberry32(1));
  expect(new Set(Array.from({ length: 10_000 }, () => ids.span())).size).toBe(10_000);
});
