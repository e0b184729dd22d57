import { parseJson } from '../json/value.ts';
import { withoutQuotations } from './quotations.ts';

/** What one text of an error holds: a sentence, JSON that somebody wrapped in it, or how Python prints a list of faults. */
export interface SaidWords {
  /** What is said, without what it quotes; empty where there is nothing. */
  readonly sentence: string;
  /** The JSON within, parsed; undefined where there is none. */
  readonly wrapped?: unknown;
  /** Names of fields and codes that Python's form has. */
  readonly params: readonly string[];
  readonly codes: readonly string[];
}

/** No sentence that decides anything is longer; what follows is somebody's text. */
const LONGEST_TEXT = 4_096;

/** What stands before the JSON of another server's error: its name, a status, or nothing. Anything else quotes a request. */
const WRAPS =
  /^(?:[^{}[\]"'`\n]{0,200}(?:exception|error|response|failed|bad request|\b[45]\d\d)[^{}[\]"'`\w\n]{0,20})?$/i;

/** How Python prints the faults of a validation: `[{'type': …, 'loc': …}]`, with a head in newer servers. */
const PYTHON = /^\s*(?:\d+ validation errors?:?\s*)?[[{(]{1,3}\s*'/;

/** Where such a fault repeats what the caller has sent. */
const PYTHON_INPUT = /'(?:input|ctx)': ?[\s\S]*$/;
const PYTHON_MESSAGE = /'(?:msg|message|detail)': ?(?:'((?:[^'\\]|\\.){0,1000})'|"((?:[^"\\]|\\.){0,1000})")/g;
const PYTHON_CODE = /'(?:type|code)': ?'(\w{1,64})'/g;
const PYTHON_PLACE = /'(?:loc|param)': ?[([]?((?:'[\w.-]{1,64}'|[\d, ]){1,20})/g;

/** How pydantic repeats an input within a line. */
const ECHOED_INPUT = /\binput_value=[\s\S]{0,2000}?(?=, input_type=|\]|$)/g;

/**
 * Reads a text of an error. Servers repeat what they were sent: of quotations only single words are kept, such as the name of
 * a model or a field, and of faults that Python prints only their messages.
 */
export function saidWords(text: string): SaidWords {
  const start = text.slice(0, LONGEST_TEXT);
  if (PYTHON.test(start)) return pythonFaults(start);
  const from = start.search(/[[{]/);
  if (from !== -1 && WRAPS.test(start.slice(0, from).trim())) {
    const wrapped = parseJson(text.slice(from, lastBracket(text) + 1));
    const prefix = start.slice(0, from);
    if (typeof wrapped === 'object') return { sentence: unquoted(prefix), wrapped, params: [], codes: [] };
    if (PYTHON.test(start.slice(from))) {
      const faults = pythonFaults(start.slice(from));
      return { ...faults, sentence: `${unquoted(prefix)}\n${faults.sentence}` };
    }
  }
  return { sentence: unquoted(start, text.length > LONGEST_TEXT), params: [], codes: [] };
}

function lastBracket(text: string): number {
  return Math.max(text.lastIndexOf('}'), text.lastIndexOf(']'));
}

/** Takes quotations of more than one word out of a sentence. */
function unquoted(text: string, isCut = false): string {
  return withoutQuotations(text.replace(ECHOED_INPUT, '…'), isCut).trim();
}

function pythonFaults(text: string): SaidWords {
  const known = text.replace(PYTHON_INPUT, '');
  const sentences = [...known.matchAll(PYTHON_MESSAGE)].map(([, single, double]) => unquoted(single ?? double ?? ''));
  const places = [...known.matchAll(PYTHON_PLACE)].map(([, place = '']) =>
    place
      .split(',')
      .map((step) => step.replaceAll(/['\s]/g, ''))
      .filter((step) => step !== '')
      .join('.'),
  );
  return {
    sentence: sentences.join('\n'),
    params: places,
    codes: [...known.matchAll(PYTHON_CODE)].map(([, code = '']) => code),
  };
}
