/** A rule of the engine turned into a wrong one. */
export interface Mutant {
  /** The rule of the engine that it breaks. */
  readonly rule: string;
  /** What it does wrong. */
  readonly does: string;
  /** File in `src/`. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** The invariant of the simulator that must see it, without help from others, or the unit test in `test/engine/` that must. */
  readonly seenBy: number | string;
}

/** Returns a source with the mutant in it. @throws Error where what it replaces does not stand there exactly once */
export function mutated({ rule, does, file, find, replace }: Mutant, source: string): string {
  const count = source.split(find).length - 1;
  if (count !== 1) throw new Error(`mutant "${rule} ${does}": ${file} has ${count} times ${JSON.stringify(find)}`);
  return source.replace(find, () => replace);
}
