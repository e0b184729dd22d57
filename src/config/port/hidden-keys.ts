import type { Environment } from './resolved.ts';
import { withoutQuotes } from './quotes.ts';

/** What stands in place of a key. */
const HIDDEN = '(hidden)';

/** Shorter keys are no secrets, such as the `none` of a local server, and would be found in harmless words. */
const SHORTEST_KEY = 8;

/** Most characters of a value that an error shows. */
const SHOWN_LENGTH = 80;

/**
 * What keys of providers look like: OpenAI's, Anthropic's and DeepSeek's `sk-…`, Groq's `gsk_…`, Google's `AIza…`, and the 32 or more
 * letters and digits in a row that most others are or end in, Azure's among them.
 */
const KEY_SHAPES =
  /(?<![A-Za-z0-9])(?:(?:sk-|gsk_)[A-Za-z0-9_-]{5,}|AIza[A-Za-z0-9_-]{26,}|(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{32,})/g;

/** Whether a value begins as the keys of the best known providers do, and so is nothing else. */
export function isKey(value: string): boolean {
  return /^(?:sk-|gsk_)[A-Za-z0-9_-]{16,}$/.test(value);
}

/** Whether a value is one of the known keys, and no word that only stands where a key could. */
export function isOneOf(known: readonly string[], value: string | undefined): boolean {
  return value !== undefined && value.length >= SHORTEST_KEY && known.includes(value);
}

/** Replaces what equals one of the known keys, or looks like a key, by `(hidden)`. For all that is shown to people of a configuration. */
export function hideKeys(text: string, known: readonly string[]): string {
  let shown = text;
  for (const key of known) {
    for (const form of shownForms(key)) if (form.length >= SHORTEST_KEY) shown = shown.replaceAll(form, HIDDEN);
  }
  return shown.replaceAll(KEY_SHAPES, HIDDEN);
}

/** Returns the values of the variables that hold keys. */
export function keysOf(env: Environment): string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && /_(?:API_KEY|CLIENT_SECRET)$/.test(name) ? [withoutQuotes(value)] : [],
  );
}

/** How a value is written where it breaks a rule: in quotes, cut where the path of a URL would begin, and at its greatest length. */
function shownForms(key: string): readonly string[] {
  const beforePath = key.replace(/[/?#].*$/s, '');
  return [key, beforePath].flatMap((text) => [text, JSON.stringify(text.slice(0, SHOWN_LENGTH)).slice(1, -1)]);
}
