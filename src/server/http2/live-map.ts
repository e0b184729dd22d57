/** Places at first; a power of two, as every later number of them. */
const FIRST_PLACES = 8;

/**
 * Holds what is under way by its number, an integer from 0 on: a Map, as far as `node:http2` uses one. A Map would do, but leaves tables
 * behind that drag along what was in them, as a Set does (`core/live-list.ts`). Quick where numbers follow one another, as those of streams do.
 */
export class LiveMap<Item> {
  /** Open addressing with linear probing: a number is at its home or behind it, with no empty place between. */
  #numbers: number[] = emptyNumbers(FIRST_PLACES);
  #items: (Item | undefined)[] = emptyPlaces(FIRST_PLACES);
  #size = 0;

  /** How many items there are. */
  get size(): number {
    return this.#size;
  }

  /** Returns the item of a number. */
  get(number: number): Item | undefined {
    return this.#items[this.#placeOf(number)];
  }

  /** Says whether a number has an item. */
  has(number: number): boolean {
    return this.get(number) !== undefined;
  }

  /** Gives a number an item, in place of the one that it has. */
  set(number: number, item: Item): this {
    // A third at least is empty, so that the way to an empty place is short.
    if ((this.#size + 1) * 3 > this.#items.length * 2) this.#grow();
    const place = this.#placeOf(number);
    if (this.#items[place] === undefined) this.#size += 1;
    this.#numbers[place] = number;
    this.#items[place] = item;
    return this;
  }

  /** Removes a number, and tells whether it was there. */
  delete(number: number): boolean {
    let place = this.#placeOf(number);
    if (this.#items[place] === undefined) return false;
    this.#size -= 1;
    const last = this.#items.length - 1;
    for (let next = (place + 1) & last; this.#items[next] !== undefined; next = (next + 1) & last) {
      const other = this.#numbers[next] ?? 0;
      // It stays where its home lies behind the place that became empty.
      if (((next - this.#homeOf(other)) & last) < ((next - place) & last)) continue;
      this.#numbers[place] = other;
      this.#items[place] = this.#items[next];
      place = next;
    }
    this.#items[place] = undefined;
    return true;
  }

  /** Calls with each item that is there now, in no order, and its number. What is called may add and remove. */
  forEach(call: (item: Item, number: number) => void): void {
    const [numbers, items] = [this.#numbers.slice(), this.#items.slice()];
    for (const [place, item] of items.entries()) if (item !== undefined) call(item, numbers[place] ?? 0);
  }

  /** Returns the place of a number, or the empty one where it belongs. */
  #placeOf(number: number): number {
    const last = this.#items.length - 1;
    let place = this.#homeOf(number);
    while (this.#items[place] !== undefined && this.#numbers[place] !== number) place = (place + 1) & last;
    return place;
  }

  /** Streams of one side have every second number (RFC 9113, section 5.1.1). */
  #homeOf(number: number): number {
    return (number >>> 1) & (this.#items.length - 1);
  }

  #grow(): void {
    const [numbers, items] = [this.#numbers, this.#items];
    this.#numbers = emptyNumbers(items.length * 2);
    this.#items = emptyPlaces(items.length * 2);
    this.#size = 0;
    for (const [place, item] of items.entries()) if (item !== undefined) this.set(numbers[place] ?? 0, item);
    // Whoever still points to what was too small drags nothing along.
    items.fill(undefined);
  }
}

function emptyNumbers(length: number): number[] {
  return Array.from({ length }, () => 0);
}

function emptyPlaces<Item>(length: number): (Item | undefined)[] {
  return Array.from({ length }, () => undefined);
}
