/** What a mutation draws from: chance, 0 to 1, and another body of the same dialect. */
export interface Draw {
  readonly random: () => number;
  readonly other: Uint8Array;
}

/** Changes a body; never the one that it gets. */
export type Mutation = (body: Uint8Array, draw: Draw) => Uint8Array;

const DEEP = 20_000;
const HUGE = [
  '1e400',
  '-1',
  '99999999999999999999999',
  '0.1',
  '-0',
  '1e-400',
  '"12"',
  'null',
  '9007199254740993',
  '[]',
  '{}',
];
/** What breaks parsers: half characters, marks, what JSON does not have, names of prototypes, words of the protocols. */
const ODD = [
  '\u0000',
  '\ufeff',
  '\r',
  '\r\n\r\n',
  '\n\n',
  '\ud83d',
  '\\ud83d',
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  'NaN',
  '__proto__',
  'constructor',
  'data: ',
  'data:',
  'event: error\n',
  ': ping\n\n',
  'data: [DONE]\n\n',
  'null',
  'true',
  'index',
  'error',
  'error: {"code":400}\n\n',
  'data: null\n\n',
];
/** Words for ends, none and half, as servers write them. */
const ENDS = [
  '""',
  '"null"',
  '"network_error"',
  '"MAX_TOKENS"',
  '"tool_use"',
  '"something_new"',
  'null',
  '{"type":"stop"}',
  '7',
];
/** What stands where a text is expected. */
const INSTEAD = ['[{"type":"text","text":"a"}]', '{"text":"a"}', '["a",{"type":"hologram"}]', 'true', '7', '{"a":1}'];
/** Arguments as servers write them. */
const ARGUMENTS = ['{"id":9007199254740993}', '{}', '[]', '""', '" "', 'null', '"null"', '7'];

/** Every way in which a body is spoiled, by name. */
export const MUTATIONS = {
  flip: (body, { random }) => {
    const changed = Uint8Array.from(body);
    for (let left = 1 + pick(random, 8); left > 0 && changed.length > 0; left -= 1) {
      const at = pick(random, changed.length);
      changed[at] = (changed[at] ?? 0) ^ (1 << pick(random, 8));
    }
    return changed;
  },
  cut: (body, { random }) => body.subarray(0, pick(random, body.length)),
  behead: (body, { random }) => body.subarray(pick(random, body.length)),
  splice: (body, { random, other }) =>
    Buffer.concat([body.subarray(0, pick(random, body.length)), other.subarray(pick(random, other.length))]),
  invalidUtf8: (body, { random }) =>
    insert(body, random, Uint8Array.from([[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xf4, 0x90]][pick(random, 4)] ?? [])),
  odd: (body, { random }) => insert(body, random, Buffer.from(ODD[pick(random, ODD.length)] ?? '')),
  hugeNumber: (body, { random }) =>
    replaceOne(body, random, /-?\d+(?:\.\d+)?/g, () => HUGE[pick(random, HUGE.length)] ?? ''),
  deepNesting: (body, { random }) =>
    replaceOne(body, random, /"[^"\\]*"(?!\s*:)|null|true|\d+/g, () => {
      const isList = random() < 0.5;
      return isList ? `${'['.repeat(DEEP)}${']'.repeat(DEEP)}` : `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`;
    }),
  otherType: (body, { random }) =>
    replaceOne(body, random, /"[^"\\]*"(?!\s*:)|null|true|false/g, () => HUGE[pick(random, HUGE.length)] ?? ''),
  renameKey: (body, { random }) => replaceOne(body, random, /"[a-z_]+"(?=\s*:)/g, () => '"__proto__"'),
  dropEvent: (body, { random }) => overEvents(body, (events) => events.toSpliced(pick(random, events.length), 1)),
  repeatEvent: (body, { random }) =>
    overEvents(body, (events) => {
      const at = pick(random, events.length);
      return events.toSpliced(at, 0, events[at] ?? '');
    }),
  moveEvent: (body, { random }) =>
    overEvents(body, (events) => {
      const from = pick(random, events.length);
      const moved = events[from] ?? '';
      const others = events.toSpliced(from, 1);
      return others.toSpliced(pick(random, others.length + 1), 0, moved);
    }),
  otherEvent: (body, { random, other }) =>
    overEvents(body, (events) => {
      const theirs = eventsOf(other);
      return events.toSpliced(pick(random, events.length), 0, theirs[pick(random, theirs.length)] ?? '');
    }),
  floodOfEvents: (body, { random }) =>
    overEvents(body, (events) => {
      const at = pick(random, events.length);
      return events.toSpliced(at, 0, ...Array.from({ length: 100 }, () => events[at] ?? ''));
    }),
  finishReason: (body, { random }) =>
    replaceOne(body, random, /(?<="(?:finish_reason|stop_reason|done_reason|status)"\s*:\s*)(?:null|"[^"]*")/g, () =>
      oneOf(ENDS, random),
    ),
  argumentsOfCall: (body, { random }) =>
    replaceOne(body, random, /(?<="(?:arguments|input|partial_json)"\s*:\s*)(?:"(?:[^"\\]|\\.)*"|\{\})/g, () =>
      oneOf(ARGUMENTS, random),
    ),
  wordsInParts: (body, { random }) =>
    replaceOne(
      body,
      random,
      /(?<="(?:content|text|delta|reasoning_content|reasoning|thinking)"\s*:\s*)"(?:[^"\\]|\\.)*"/g,
      () => oneOf(INSTEAD, random),
    ),
  indexes: (body, { random }) =>
    replaceAll(body, /"(?:index|output_index|content_index)"\s*:\s*\d+\s*,/g, random() < 0.5 ? '' : '"index":null,'),
  nameless: (body, { random }) =>
    replaceOne(body, random, /(?<="name"\s*:\s*)"[^"]*"/g, () => (random() < 0.5 ? '""' : 'null')),
  gluedMarker: (body) => replaceAll(body, /\s*data: \[DONE\]/g, '[DONE]'),
  noBlankLineAtEnd: (body) => Buffer.from(Buffer.from(body).toString('utf8').trimEnd()),
  longText: (body, { random }) => replaceOne(body, random, /"[^"\\]*"(?!\s*:)/g, () => `"${'long '.repeat(8_000)}"`),
} as const satisfies Record<string, Mutation>;

/** A number of 0 to `below` - 1. */
export function pick(random: () => number, below: number): number {
  return Math.floor(random() * below);
}

function oneOf(list: readonly string[], random: () => number): string {
  return list[pick(random, list.length)] ?? '';
}

function replaceAll(body: Uint8Array, pattern: RegExp, replacement: string): Uint8Array {
  return Buffer.from(Buffer.from(body).toString('utf8').replaceAll(pattern, replacement));
}

function insert(body: Uint8Array, random: () => number, bytes: Uint8Array): Uint8Array {
  const at = pick(random, body.length + 1);
  return Buffer.concat([body.subarray(0, at), bytes, body.subarray(at)]);
}

function replaceOne(body: Uint8Array, random: () => number, pattern: RegExp, replacement: () => string): Uint8Array {
  const text = Buffer.from(body).toString('utf8');
  const places = [...text.matchAll(pattern)];
  const place = places[pick(random, places.length)];
  if (place === undefined) return body;
  return Buffer.from(text.slice(0, place.index) + replacement() + text.slice(place.index + place[0].length));
}

/** Events of SSE with the blank line behind them, or lines. */
function eventsOf(body: Uint8Array): readonly string[] {
  const text = Buffer.from(body).toString('utf8');
  const separator = text.includes('\n\n') ? '\n\n' : '\n';
  const events: string[] = [];
  for (let from = 0; from < text.length;) {
    const at = text.indexOf(separator, from);
    const to = at < 0 ? text.length : at + separator.length;
    events.push(text.slice(from, to));
    from = to;
  }
  return events;
}

function overEvents(body: Uint8Array, change: (events: readonly string[]) => readonly string[]): Uint8Array {
  return Buffer.from(change(eventsOf(body)).join(''));
}
