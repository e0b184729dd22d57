/** A seeded source of chance: numbers in [0, 1). */
export type Chance = () => number;

/** Returns a 32-bit hash of texts, the same on every machine (FNV-1a over UTF-16 units, then mixed). */
export function hashOf(...texts: readonly string[]): number {
  let hash = 0x81_1c_9d_c5;
  for (const text of texts) {
    for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01_00_01_93);
    hash = Math.imul(hash ^ 0xff, 0x01_00_01_93);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85_eb_ca_6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Makes a source of chance that repeats itself for the same seed (mulberry32). */
export function chanceFrom(seed: number): Chance {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Returns an integer in [0, limit). */
export function below(chance: Chance, limit: number): number {
  return Math.floor(chance() * limit);
}

/** Returns one of the items. */
export function pick<Item>(chance: Chance, items: readonly [Item, ...Item[]]): Item {
  return items[below(chance, items.length)] ?? items[0];
}

/** Returns `length` random characters of `alphabet`, by default hexadecimal digits. */
export function randomText(chance: Chance, length: number, alphabet = '0123456789abcdef'): string {
  let text = '';
  while (text.length < length) text += alphabet[below(chance, alphabet.length)] ?? '';
  return text;
}

/** Letters and digits, for the ids of providers. */
export const LETTERS_AND_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Returns 32 hexadecimal digits, or the first 32 of more, in the form of a UUID. */
export function uuidFrom(digits: string): string {
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(12, 16),
    digits.slice(16, 20),
    digits.slice(20, 32),
  ].join('-');
}
