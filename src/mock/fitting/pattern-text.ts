import { below } from '../shared/seeded.ts';
import type { Chance } from '../shared/seeded.ts';
import { parsePattern } from './pattern-parts.ts';
import type { PatternPart } from './pattern-parts.ts';

/** How long a text may be, in characters. */
export interface Lengths {
  readonly min: number;
  readonly max: number;
}

/** Longest text that a pattern makes. */
const MAX_LENGTH = 20_000;

/**
 * Makes a text that a pattern of JSON Schema matches as a whole, of a length between the bounds where that is found.
 * Undefined for a pattern with back references, and for one that cannot be read. What is said by looking ahead or behind is passed over.
 */
export function patternText(pattern: string, lengths: Lengths, chance: Chance): string | undefined {
  const parts = parsePattern(pattern);
  if (parts === undefined) return undefined;
  const write = (more: number): string | undefined => {
    const pieces: string[] = [];
    return written(parts, more, chance, pieces, { left: MAX_LENGTH }) ? pieces.join('') : undefined;
  };
  const fits = (text: string | undefined): text is string =>
    text !== undefined && charactersIn(text) >= lengths.min && charactersIn(text) <= lengths.max;
  const shortest = write(0);
  if (shortest === undefined) return undefined;
  const missing = lengths.min - shortest.length;
  const tries = [2 + below(chance, 4), 1, 0, 2, 3, 5, 8, ...[1, 2, 3, 4].map((share) => Math.ceil(missing / share))];
  for (const more of tries) {
    const text = more >= 0 ? write(more) : undefined;
    if (fits(text)) return text;
  }
  const isOpen = !pattern.endsWith('$') && missing > 0;
  return isOpen ? shortest + 'a'.repeat(Math.min(missing, MAX_LENGTH)) : undefined;
}

/** Writes parts, with `more` repetitions than are needed where there may be; false where it becomes too long. */
function written(
  parts: readonly PatternPart[],
  more: number,
  chance: Chance,
  pieces: string[],
  budget: { left: number },
): boolean {
  for (const part of parts) {
    const times = Math.min(part.least + more, part.most);
    for (let time = 0; time < times; time += 1) {
      budget.left -= 1;
      if (budget.left < 0) return false;
      if (part.kind === 'character') pieces.push(part.among[below(chance, part.among.length)] ?? '');
      else if (!written(part.among[below(chance, part.among.length)] ?? [], more, chance, pieces, budget)) return false;
    }
  }
  return true;
}

function charactersIn(text: string): number {
  return Array.from(text).length;
}
