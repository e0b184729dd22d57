import { LineCounter, parseDocument, type ErrorCode } from 'yaml';

import { ConfigError, type ConfigProblem } from '../port/problem.ts';
import { fieldAt, lateFaults } from '../tree/yaml-place.ts';

/** Our words for the parser's: its own messages quote the file, and the file may hold secrets. */
const SYNTAX = {
  ALIAS_PROPS: 'an alias cannot have an anchor or a tag',
  BAD_ALIAS: 'this is not a valid alias',
  BAD_COLLECTION_TYPE: 'the tag does not fit what it is on',
  BAD_DIRECTIVE: 'this directive is not known',
  BAD_DQ_ESCAPE: 'this escape sequence is not valid',
  BAD_INDENT: 'the indentation is wrong, or a bracket is not closed',
  BAD_PROP_ORDER: 'an anchor or a tag stands in the wrong place',
  BAD_SCALAR_START: 'a value that begins like this must be quoted',
  BLOCK_AS_IMPLICIT_KEY: 'a mapping or a list cannot begin here; check the indentation and the colons',
  BLOCK_IN_FLOW: 'a block cannot stand inside brackets',
  DUPLICATE_KEY: 'this field occurs twice',
  IMPOSSIBLE: 'this cannot be read',
  KEY_OVER_1024_CHARS: 'a colon is missing',
  MISSING_CHAR: 'a character is missing: a colon, a quote or a bracket, or a space after a colon',
  MULTILINE_IMPLICIT_KEY: 'the name of a field must be on one line; check the indentation and the colons',
  MULTIPLE_ANCHORS: 'a value can have one anchor',
  MULTIPLE_DOCS: 'the file must hold one document',
  MULTIPLE_TAGS: 'a value can have one tag',
  NON_STRING_KEY: 'the name of a field must be a text',
  RESOURCE_EXHAUSTION: 'the file is nested too deeply',
  TAB_AS_INDENT: 'tabs cannot indent; use spaces',
  TAG_RESOLVE_FAILED: 'this tag is not known',
  UNEXPECTED_TOKEN: 'this is not expected here; a text with ${, {, }, [, ] or a comma inside brackets must be quoted',
} as const satisfies Record<ErrorCode, string>;

/** A variable that ends a value within brackets, where YAML wants it in quotes: `{ postgres: ${DATABASE_URL} }`. */
const BARE_VARIABLE = /\$\{(?:\w+|file:[^{}\s,]+)\}(?=\s*[,}\]])/y;

/** Most variables that are put in quotes: the file is read anew for each. */
const MOST_QUOTED = 100;

/**
 * Reads YAML 1.2, and with it JSON, into plain values; an empty file is an empty mapping. Where only quotes around variables within
 * brackets are missing, they are thought to be there. Throws {@link ConfigError} with line and column of every syntax error.
 *
 * @param label - what the file is called in errors
 */
export function parseConfigText(text: string, label: string): unknown {
  if (text.includes('\0')) throw new ConfigError([{ path: label, message: 'is not UTF-8; save it as such' }]);
  const { document, parsed } = parseQuoted(text) ?? { document: parseYaml(text), parsed: text };
  const lines = new LineCounter();
  for (const { index } of parsed.matchAll(/^|(?<=\n)/g)) lines.addNewLine(index);
  const problemAt = (offset: number, message: string, isWithin = true): ConfigProblem => {
    const { line, col } = lines.linePos(offset);
    const field = isWithin ? fieldAt(document, offset) : undefined;
    return { path: `${label}:${line}:${col}`, message: field === undefined ? message : `${field}: ${message}` };
  };
  const faults = faultsOf(document).map(({ code, pos }) => problemAt(pos[0], SYNTAX[code], code !== 'MULTIPLE_DOCS'));
  if (faults.length > 0) throw new ConfigError(faults);
  const late = lateFaults(document).map(({ offset, message }) => problemAt(offset, message));
  if (late.length > 0) throw new ConfigError(late);
  try {
    const value: unknown = document.toJS();
    return value === null ? {} : value;
  } catch {
    throw new ConfigError([{ path: label, message: 'there are too many aliases' }]);
  }
}

/** A document, and the text that its places are places of. */
interface Parsed {
  readonly document: ReturnType<typeof parseYaml>;
  readonly parsed: string;
}

/** Puts quotes around the variables that the parser stumbles over; undefined where that is not all that is wrong. */
function parseQuoted(text: string): Parsed | undefined {
  let quoted = text;
  for (let count = 0; count <= MOST_QUOTED; count += 1) {
    const document = parseYaml(quoted);
    const [fault] = faultsOf(document);
    if (fault === undefined) return { document, parsed: quoted };
    // It stumbles over the brace behind the dollar.
    const at = fault.pos[0] - 1;
    BARE_VARIABLE.lastIndex = Math.max(0, at);
    const variable = BARE_VARIABLE.exec(quoted)?.[0];
    if (variable === undefined) return undefined;
    quoted = `${quoted.slice(0, at)}"${variable}"${quoted.slice(at + variable.length)}`;
  }
  return undefined;
}

function parseYaml(text: string) {
  return parseDocument(text, { stringKeys: true, merge: true, logLevel: 'error' });
}

function faultsOf({ errors, warnings }: ReturnType<typeof parseYaml>) {
  return [...errors, ...warnings];
}
