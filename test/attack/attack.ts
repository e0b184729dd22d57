import type { AttackedDoors } from './attacked-process.ts';

/** What the gateway is attacked with. */
export interface Attack {
  /** kebab-case, as in the table. */
  readonly name: string;
  /** Longest that it may take, in milliseconds; it is left then, and that is a finding. */
  readonly withinMs: number;
  /** Attacks the doors, and says what they should not have done; nothing where all is well. Ends what it began. */
  run(doors: AttackedDoors, seed: number): Promise<readonly string[]>;
}

/** Runs a number of steps, so many at a time, and returns what they return in the order of the steps. */
export async function inParallel<Result>(
  count: number,
  atOnce: number,
  step: (index: number) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      results[index] = await step(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, atOnce) }, worker));
  return results;
}

/** Counts equal words, the most frequent first: `refused ×3, answered ×1`. */
export function tally(words: readonly string[]): string {
  const counts = [...Map.groupBy(words, (word) => word)].map(([word, all]) => [word, all.length] as const);
  return counts
    .sort(([, one], [, other]) => other - one)
    .slice(0, 6)
    .map(([word, count]) => `${word} ×${count}`)
    .join(', ');
}
