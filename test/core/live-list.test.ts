import { describe, expect, it } from 'vitest';

import { LiveList } from '../../src/core/live-list.ts';

describe('a live list', () => {
  it('has what was added and not removed', () => {
    const list = new LiveList<string>();
    const [a, b] = [list.add('a'), list.add('b')];
    expect(list.all().toSorted()).toEqual(['a', 'b']);
    list.remove(a);
    expect(list.all()).toEqual(['b']);
    const c = list.add('c');
    list.remove(b);
    expect(list.all()).toEqual(['c']);
    list.remove(c);
    expect(list.all()).toEqual([]);
  });

  it('has the same item as often as it was added', () => {
    const list = new LiveList<string>();
    const place = list.add('a');
    list.add('a');
    list.remove(place);
    expect(list.all()).toEqual(['a']);
  });

  it('uses places again, so that it grows no longer than what it has had at once', () => {
    const list = new LiveList<string>();
    const places = Array.from({ length: 1_000 }, () => {
      const place = list.add('a');
      list.remove(place);
      return place;
    });
    expect(Math.max(...places)).toBe(0);
  });

  it('does nothing where a place is empty', () => {
    const list = new LiveList<string>();
    const place = list.add('a');
    list.remove(place);
    list.remove(place);
    list.remove(7);
    expect(new Set([list.add('b'), list.add('c')]).size).toBe(2);
    expect(list.all().toSorted()).toEqual(['b', 'c']);
  });
});
