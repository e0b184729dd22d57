import type { Json } from '../shared/fields.ts';
import { pick } from '../shared/seeded.ts';
import type { Chance } from '../shared/seeded.ts';
import { formatText } from './format-texts.ts';
import { boundOf } from './number-value.ts';
import { patternText } from './pattern-text.ts';
import type { Lengths } from './pattern-text.ts';
import { FILLERS, wordsFor } from './plausible-words.ts';

/** Longest text that is made, in characters. */
const MAX_LENGTH = 20_000;

/** Makes a text. Undefined where none has the lengths, or where more is asked for than is made. */
export function stringValue(schema: Json, name: string, chance: Chance): string | undefined {
  const lengths = { min: boundOf(schema['minLength']) ?? 0, max: boundOf(schema['maxLength']) ?? Infinity };
  if (lengths.min > lengths.max || lengths.min > MAX_LENGTH) return undefined;
  const { pattern, format } = schema;
  const patterned = typeof pattern === 'string' ? patternText(pattern, lengths, chance) : undefined;
  if (patterned !== undefined) return patterned;
  const formatted = typeof format === 'string' ? formatText(format, lengths.min, chance) : undefined;
  if (formatted !== undefined && formatted.length >= lengths.min && formatted.length <= lengths.max) return formatted;
  return ofLength(wordsFor(name, chance), lengths, chance);
}

/** Adds words to a text that is too short, and cuts one that is too long. */
function ofLength(text: string, { min, max }: Lengths, chance: Chance): string {
  let long = text;
  while (long.length < min) long += ` ${pick(chance, FILLERS)}`;
  if (long.length <= max && long.length >= min) return long;
  const cut = long.slice(0, Math.max(min, Math.min(long.length, max)));
  // A cut behind a word leaves a blank, which looks like a slip.
  return cut.endsWith(' ') ? `${cut.slice(0, -1)}s` : cut;
}
