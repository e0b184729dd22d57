import type { JsonRecord } from '../json/value.ts';
import { asRecord, parseJson, textOf, wordOf } from '../json/value.ts';
import { saidWords } from '../errors/said-words.ts';

/** One thing that a server says against a request. */
export interface RefusalWords {
  /** Names of the place that is refused, from the outside in, without numbers and `body`; empty where none is named. */
  readonly path: readonly string[];
  /** Whether it says by a code that it does not know the place. */
  readonly isUnknown: boolean;
  readonly message: string;
}

/** Keys under which servers wrap what they say; gateways wrap what others said, as JSON in a text too. */
const WRAPPERS = ['error', 'errors', 'detail', 'details', 'message', 'msg', 'metadata', 'raw'] as const;

/** Deepest wrapping that is looked into, and most things that are read. */
const MAX_DEPTH = 6;
const MAX_WORDS = 16;

const UNKNOWN_CODES = /^(unknown|unsupported|unrecogni[sz]ed|unexpected)_|extra_forbidden|value_error\.extra/;

/**
 * Reads what a refusal says, whatever its form: an error object of OpenAI's kind, a list of places of FastAPI's, a text, and each of
 * them wrapped, in lists, or as JSON within a text. Of what it quotes only single words are kept: the rest may be a caller's.
 */
export function refusalWords(body: string): readonly RefusalWords[] {
  const said: RefusalWords[] = [];
  collect(parseJson(body) ?? body, 0, said);
  return said;
}

function collect(value: unknown, depth: number, said: RefusalWords[]): void {
  if (depth > MAX_DEPTH || said.length >= MAX_WORDS) return;
  if (typeof value === 'string') {
    collectText(value, depth, said);
    return;
  }
  if (Array.isArray(value)) {
    for (const item of value) collect(item, depth + 1, said);
    return;
  }
  const record = asRecord(value);
  if (record === undefined) return;
  const path = pathOf(record);
  const code = `${wordOf(record.code) ?? ''} ${wordOf(record.type) ?? ''}`.toLowerCase().trim();
  const isUnknown = code.split(' ').some((word) => UNKNOWN_CODES.test(word));
  if (path.length > 0) add(said, path, isUnknown, saidWords(textOf(record.msg) || textOf(record.message)).sentence);
  for (const key of WRAPPERS) collect(record[key], depth + 1, said);
}

function collectText(text: string, depth: number, said: RefusalWords[]): void {
  const { sentence, wrapped, params, codes } = saidWords(text);
  const isUnknown = codes.some((code) => UNKNOWN_CODES.test(code));
  for (const param of params) add(said, namesOf(param), isUnknown, sentence);
  if (params.length === 0 && sentence !== '') add(said, [], false, sentence);
  if (wrapped !== undefined) collect(wrapped, depth + 1, said);
}

function add(said: RefusalWords[], path: readonly string[], isUnknown: boolean, message: string): void {
  if (said.length < MAX_WORDS) said.push({ path, isUnknown, message });
}

/** `loc` of FastAPI is a list, `param` of OpenAI a path such as `messages[0].role`. */
function pathOf({ loc, param }: JsonRecord): readonly string[] {
  if (Array.isArray(loc)) return loc.filter((name) => typeof name === 'string' && name !== 'body').map(String);
  return namesOf(textOf(param));
}

function namesOf(path: string): readonly string[] {
  return path.split(/[.[\]]+/).filter((name) => name !== '' && name !== 'body' && !/^\d+$/.test(name));
}
