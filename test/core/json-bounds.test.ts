import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { exceedsJsonBounds } from '../../src/core/json-bounds.ts';

/** Lists in lists, so many deep. */
function nested(depth: number, inner = '1'): string {
  return `${'['.repeat(depth)}${inner}${']'.repeat(depth)}`;
}

describe('the bounds of a JSON text', () => {
  it('let 512 levels through and not one more, of lists and of objects', () => {
    expect(exceedsJsonBounds(nested(512))).toBe(false);
    expect(exceedsJsonBounds(nested(513))).toBe(true);
    expect(exceedsJsonBounds(`${'{"a":'.repeat(513)}1${'}'.repeat(513)}`)).toBe(true);
    expect(exceedsJsonBounds(nested(65), 64)).toBe(true);
  });

  it('let a quarter of a million objects and lists through, however flat, and not one more', () => {
    expect(exceedsJsonBounds(`[${'[],'.repeat(249_998)}{}]`)).toBe(false);
    expect(exceedsJsonBounds(`[${'[],'.repeat(249_999)}{}]`)).toBe(true);
  });

  it('do not count what stands in a text, however it is escaped', () => {
    for (const text of ['[{'.repeat(600), `"${'['.repeat(600)}`, `${'\\'.repeat(3)}"${'{'.repeat(600)}`]) {
      expect(exceedsJsonBounds(JSON.stringify({ text, list: [text] }))).toBe(false);
    }
    expect(exceedsJsonBounds(`["a\\\\",${nested(513)}]`)).toBe(true);
  });

  it('are found in one pass over texts that are no JSON, too', () => {
    expect(exceedsJsonBounds('['.repeat(5_000_000))).toBe(true);
    expect(exceedsJsonBounds(`"${'['.repeat(1_000)}`)).toBe(false);
    expect(exceedsJsonBounds(`${']'.repeat(600)}${'['.repeat(600)}`)).toBe(false);
  });

  it('agree with the depth of what is parsed', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.integer({ min: 1, max: 6 }), (value, most) => {
        const text = JSON.stringify(value, undefined, 2).padEnd(most + 1);
        expect(exceedsJsonBounds(text, most)).toBe(depthOf(value) > most);
      }),
    );
  });

  function depthOf(value: unknown): number {
    if (typeof value !== 'object' || value === null) return 0;
    return 1 + Math.max(0, ...Object.values(value).map((inner) => depthOf(inner)));
  }
});
