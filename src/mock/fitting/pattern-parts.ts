import { characterClass, escaped } from './pattern-characters.ts';

/** A part of a pattern, and how often it comes: one of some characters, or one of some sequences. */
export type PatternPart = { readonly least: number; readonly most: number } & (
  | { readonly kind: 'character'; readonly among: readonly string[] }
  | { readonly kind: 'group'; readonly among: readonly (readonly PatternPart[])[] }
);

/** Deepest nesting of groups. */
const MAX_DEPTH = 32;

const QUANTIFIER = /^(?:([*+?])|\{(\d+)(,(\d*))?\})\??/;
const MOST_OF = { '*': [0, Infinity], '+': [1, Infinity], '?': [0, 1] } as const;

/** What is left of a pattern. */
interface Rest {
  text: string;
}

/** Reads a pattern; undefined where it cannot be read, or has back references. */
export function parsePattern(pattern: string): readonly PatternPart[] | undefined {
  const rest = { text: pattern };
  const among = alternatives(rest, 0);
  return among === undefined || rest.text !== '' ? undefined : [{ kind: 'group', among, least: 1, most: 1 }];
}

function alternatives(rest: Rest, depth: number): readonly (readonly PatternPart[])[] | undefined {
  if (depth > MAX_DEPTH) return undefined;
  const found: PatternPart[][] = [[]];
  while (rest.text !== '' && !rest.text.startsWith(')')) {
    if (rest.text.startsWith('|')) {
      rest.text = rest.text.slice(1);
      found.push([]);
      continue;
    }
    const part = partOf(rest, depth);
    if (part === undefined) return undefined;
    if (part !== 'nothing') found.at(-1)?.push(part);
  }
  return found;
}

/** Reads one part with its quantifier; `nothing` for what takes no character. */
function partOf(rest: Rest, depth: number): PatternPart | 'nothing' | undefined {
  const place = /^(?:\^|\$|\\[bB])/.exec(rest.text);
  if (place !== null) {
    rest.text = rest.text.slice(place[0].length);
    return 'nothing';
  }
  if (rest.text.startsWith('(')) return groupOf(rest, depth);
  const among = charactersOf(rest);
  return among === undefined || among.length === 0 ? undefined : { kind: 'character', among, ...timesOf(rest) };
}

function groupOf(rest: Rest, depth: number): PatternPart | 'nothing' | undefined {
  const opening = /^\((?:\?(?:<?[=!]|:|<\w+>))?/.exec(rest.text)?.[0] ?? '(';
  rest.text = rest.text.slice(opening.length);
  const among = alternatives(rest, depth + 1);
  if (among === undefined || !rest.text.startsWith(')')) return undefined;
  rest.text = rest.text.slice(1);
  const times = timesOf(rest);
  return /[=!]$/.test(opening) ? 'nothing' : { kind: 'group', among, ...times };
}

function charactersOf(rest: Rest): readonly string[] | undefined {
  const [first = ''] = rest.text;
  if (first === '[') {
    const read = characterClass(rest.text);
    rest.text = rest.text.slice(read?.length ?? 0);
    return read?.characters;
  }
  if (first === '\\' || first === '.') {
    const read = escaped(rest.text);
    rest.text = rest.text.slice(read?.length ?? 0);
    return read?.characters;
  }
  if ('*+?'.includes(first)) return undefined;
  rest.text = rest.text.slice(first.length);
  return [first];
}

function timesOf(rest: Rest): { readonly least: number; readonly most: number } {
  const found = QUANTIFIER.exec(rest.text);
  if (found === null) return { least: 1, most: 1 };
  rest.text = rest.text.slice(found[0].length);
  const [, sign, count, range, upTo] = found;
  if (sign === '*' || sign === '+' || sign === '?') return { least: MOST_OF[sign][0], most: MOST_OF[sign][1] };
  const least = Number(count);
  return { least, most: range === undefined ? least : upTo === '' ? Infinity : Number(upTo) };
}
