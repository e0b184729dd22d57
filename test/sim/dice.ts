/** Draws from a source of chance. */
export class Dice {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** A number in [0, 1). */
  next(): number {
    return this.#random();
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  chance(share: number): boolean {
    return this.#random() < share;
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  /** Picks with weights that need not add up to anything. */
  weighted<Item>(items: readonly (readonly [Item, number])[]): Item {
    let left = this.#random() * items.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [item, weight] of items) {
      left -= weight;
      if (left < 0) return item;
    }
    throw new Error('nothing to pick from');
  }

  shuffled<Item>(items: readonly Item[]): Item[] {
    return items
      .map((item) => [this.#random(), item] as const)
      .toSorted(([one], [other]) => one - other)
      .map(([, item]) => item);
  }
}

/** Mixes numbers into a seed: the draws of one call do not depend on what else happens (FNV-1a). */
export function seedOf(...parts: readonly (number | string)[]): number {
  return hashText(0x811c_9dc5, parts.join('/'));
}

/** Adds a text to a hash of 32 bits (FNV-1a). */
export function hashText(hash: number, text: string): number {
  let mixed = hash;
  for (let index = 0; index < text.length; index++) {
    mixed = Math.imul(mixed ^ text.charCodeAt(index), 0x0100_0193);
  }
  return mixed >>> 0;
}
