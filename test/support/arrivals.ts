/** Things that arrive one after the other. */
export interface Arrivals<Item> {
  arrive(item: Item): void;
  /** Resolves with the n-th (from 0) once it is there. */
  at(index: number): Promise<Item>;
  count(): number;
}

/** Makes an empty list of arrivals. */
export function createArrivals<Item>(): Arrivals<Item> {
  const items: Item[] = [];
  const waiting = new Map<number, ((item: Item) => void)[]>();
  return {
    arrive: (item) => {
      const index = items.push(item) - 1;
      for (const resolve of waiting.get(index) ?? []) resolve(item);
      waiting.delete(index);
    },
    at: (index) => {
      const item = items[index];
      if (item !== undefined) return Promise.resolve(item);
      return new Promise((resolve) => waiting.set(index, [...(waiting.get(index) ?? []), resolve]));
    },
    count: () => items.length,
  };
}
