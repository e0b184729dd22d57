/** Characters that a piece of a pattern stands for, and how long that piece is. */
export interface ReadCharacters {
  readonly characters: readonly string[];
  readonly length: number;
}

const span = (from: string, to: string): string[] => {
  const [first = 0, last = 0] = [from.codePointAt(0), to.codePointAt(0)];
  const count = Math.min(Math.max(0, last - first + 1), MOST_OF_A_SPAN);
  return Array.from({ length: count }, (_, at) => String.fromCodePoint(first + at));
};

/** Most characters of one span that are told apart: more would be of no use. */
const MOST_OF_A_SPAN = 128;

const LOWER = span('a', 'z');
const UPPER = span('A', 'Z');
const DIGITS = span('0', '9');
const SIGNS = '-_.,:;!#%&()+/=@ '.split('');
/** What is chosen from where any will do, or all but some. */
const ANY = [...LOWER, ...DIGITS, ...UPPER, ...SIGNS];

const CLASSES: Readonly<Record<string, readonly string[]>> = {
  d: DIGITS,
  D: LOWER,
  w: [...LOWER, ...DIGITS],
  W: ['-'],
  s: [' '],
  S: [...LOWER, ...DIGITS],
  n: ['\n'],
  r: ['\r'],
  t: ['\t'],
  f: ['\f'],
  v: ['\v'],
  0: ['\0'],
};

const CODE = /^\\(?:x([\dA-Fa-f]{2})|u([\dA-Fa-f]{4})|u\{([\dA-Fa-f]{1,6})\})/;
const PROPERTY = /^\\([pP])\{(?:[A-Za-z_]+=)?(\w+)\}/;

/** Reads an escape, or the dot; undefined for a reference to a group, and for what it does not know. */
export function escaped(text: string): ReadCharacters | undefined {
  if (text.startsWith('.')) return { characters: [...LOWER, ...DIGITS], length: 1 };
  const code = CODE.exec(text);
  if (code !== null) {
    const point = Number.parseInt(code[1] ?? code[2] ?? code[3] ?? '', 16);
    return point > 0x10_ff_ff ? undefined : { characters: [String.fromCodePoint(point)], length: code[0].length };
  }
  const property = PROPERTY.exec(text);
  if (property !== null) return { characters: ofProperty(property[1], property[2]), length: property[0].length };
  const [, sign = ''] = text;
  const known = Object.hasOwn(CLASSES, sign) ? CLASSES[sign] : undefined;
  if (known !== undefined) return { characters: known, length: 2 };
  return /[A-Za-z\d]/.test(sign) || sign === '' ? undefined : { characters: [sign], length: 1 + sign.length };
}

/** Reads a class in brackets; undefined where it does not end, or holds what is not known. */
export function characterClass(text: string): ReadCharacters | undefined {
  const isNegated = text.startsWith('[^');
  let at = isNegated ? 2 : 1;
  const found: string[] = [];
  while (text[at] !== ']') {
    const first = memberAt(text, at);
    if (first === undefined) return undefined;
    at += first.length;
    const last = text[at] === '-' && text[at + 1] !== ']' ? memberAt(text, at + 1) : undefined;
    const [from] = first.characters;
    const [to] = last?.characters ?? [];
    if (last === undefined || from === undefined || to === undefined) {
      found.push(...first.characters);
    } else {
      at += 1 + last.length;
      found.push(...span(from, to));
    }
  }
  const excluded = new Set(found);
  return { characters: isNegated ? ANY.filter((sign) => !excluded.has(sign)) : found, length: at + 1 };
}

function memberAt(text: string, at: number): ReadCharacters | undefined {
  const character = text.codePointAt(at);
  if (character === undefined) return undefined;
  const sign = String.fromCodePoint(character);
  if (sign === '\\') return text.startsWith(String.raw`\b`, at) ? undefined : escaped(text.slice(at));
  return { characters: [sign], length: sign.length };
}

function ofProperty(letter: string | undefined, name = ''): readonly string[] {
  if (letter === 'P') return /^(?:L|Alpha|Letter)/.test(name) ? DIGITS : LOWER;
  if (/^(?:Lu|Uppercase)/.test(name)) return UPPER;
  if (/^N|^Decimal/.test(name)) return DIGITS;
  if (/^(?:P|S)(?:[a-z]|$)|^Punct|^Symbol/.test(name)) return ['-'];
  return /^Z|^White|^Space/.test(name) ? [' '] : LOWER;
}
