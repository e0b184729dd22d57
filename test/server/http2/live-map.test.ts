import { describe, expect, it } from 'vitest';

import { LiveMap } from '../../../src/server/http2/live-map.ts';
import { mulberry32 } from '../../support/virtual-runtime.ts';

describe('a live map', () => {
  it('has what a Map has, whatever is added and removed', () => {
    const random = mulberry32(53);
    for (const most of [4, 40, 400]) {
      const [map, wanted] = [new LiveMap<string>(), new Map<number, string>()];
      for (let step = 0; step < 5_000; step++) {
        // Numbers with a common home, neighbours, and any.
        const number = Math.floor(random() * most) * (step % 3 === 0 ? 16 : 1);
        if (random() < 0.5) {
          map.set(number, `item ${step}`);
          wanted.set(number, `item ${step}`);
        } else expect(map.delete(number)).toBe(wanted.delete(number));
        expect(map.get(number)).toBe(wanted.get(number));
        expect(map.has(number)).toBe(wanted.has(number));
        expect(map.size).toBe(wanted.size);
      }
      const all = new Map<number, string>();
      map.forEach((item, number) => all.set(number, item));
      expect(all).toEqual(wanted);
      for (const [number, item] of wanted) expect(map.get(number)).toBe(item);
    }
  });

  it('takes streams with the highest numbers that there are', () => {
    const map = new LiveMap<string>();
    for (let number = 2 ** 31 - 199; number < 2 ** 31; number += 2) map.set(number, String(number));
    expect(map.size).toBe(100);
    expect(map.get(2 ** 31 - 1)).toBe('2147483647');
    expect(map.get(1)).toBe(undefined);
  });

  it('calls with all that is there at first, also where what is called removes it', () => {
    const map = new LiveMap<string>();
    for (const [number, item] of ['a', 'b', 'c'].entries()) map.set(number, item);
    const seen: string[] = [];
    map.forEach((item) => {
      seen.push(item);
      for (const number of [0, 1, 2]) map.delete(number);
      map.set(7, 'd');
    });
    expect(seen.toSorted()).toEqual(['a', 'b', 'c']);
    expect(map.size).toBe(1);
  });
});
