import { describe, expect, it } from 'vitest';

import { namedChoices } from '../../src/core/failure.ts';

const many = (count: number, length = 1): string[] =>
  Array.from({ length: count }, (_, index) => String(index).padEnd(length, 'x'));

describe('the names that an error says there are', () => {
  it('are all of a few, each once, in their order', () => {
    expect(namedChoices(['default'])).toBe('default');
    expect(namedChoices(['b', 'a', 'b'])).toBe('b, a');
    expect(namedChoices([])).toBe('none');
  });

  it('are the first of many, in bounds, and how many more', () => {
    expect(namedChoices(many(10))).toBe('0, 1, 2, 3, 4, 5, 6, 7, 8, 9');
    expect(namedChoices(many(12))).toBe('0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more');
    expect(namedChoices(many(9, 100))).toMatch(/^0x+, 1x+, 2x+ and 6 more$/);
    expect(namedChoices(many(2, 500))).toMatch(/^0x{499} and 1 more$/);
  });
});
