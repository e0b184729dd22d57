/**
 * Holds what is under way: items that come and go thousands of times a second. A Set would do, but each time it makes room it
 * leaves a table behind that still names what was in it; tables grow old, so that the garbage collector drags everything along
 * that calls of those moments had made (`docs/adr/0006-what-is-under-way-is-held-in-lists.md`).
 */
export class LiveList<Item> {
  readonly #items: (Item | undefined)[] = [];
  readonly #free: number[] = [];

  /** Adds an item and returns its place, by which it is removed, once. */
  add(item: Item): number {
    const place = this.#free.pop() ?? this.#items.length;
    this.#items[place] = item;
    return place;
  }

  /** Removes what was added at a place. */
  remove(place: number): void {
    if (this.#items[place] === undefined) return;
    this.#items[place] = undefined;
    this.#free.push(place);
  }

  /** Returns the items that are there now, in no order. */
  all(): Item[] {
    return this.#items.filter((item) => item !== undefined);
  }
}
