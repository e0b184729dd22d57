import type { Chance } from '../shared/seeded.ts';

/** Where a value stands in what is made. */
export interface Place {
  /** The property that it is of, or its list is; empty at the root. */
  readonly name: string;
  /** How many objects and lists are around it. */
  readonly depth: number;
}

/** Makes the parts of one value. */
export interface Maker {
  readonly chance: Chance;
  /** Whether all that is not required is left out. */
  readonly isLean: boolean;
  /** Takes steps (default: one) of the work that is allowed in all; false where none is left. */
  spend(steps?: number): boolean;
  /** Whether a pattern matches the name of a property. */
  readonly matches: (pattern: string, name: string) => boolean;
  /** Makes a value that fits a schema; undefined where none was found. */
  make(schema: unknown, place: Place): unknown;
}

/** From this depth on only what is required is made. */
const LEAN_DEPTH = 3;

/** Whether only what is required is made here. */
export function isLeanAt(maker: Maker, place: Place): boolean {
  return maker.isLean || place.depth >= LEAN_DEPTH;
}
