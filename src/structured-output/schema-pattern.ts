import type { CodeOptions } from 'ajv';

/** Escapes that mean the same with the flag `u` and without: signs, and the letters that stand for classes, places and characters. */
const KNOWN_ESCAPE = /\\(?:[^A-Za-z\d]|0(?!\d)|[bBdDfnrsStvwW]|c[A-Za-z]|x[\dA-Fa-f]{2}|u[\dA-Fa-f]{4})/g;

/** Where a pattern without the flag `u` would be taken for something else than its writer meant: `\A`, `\p{L}`, `a{,3}`. */
const MISTAKEN = /\\|\{,\d+\}/;

/**
 * Makes the pattern of a schema. The drafts would have them with the flag `u`, which forbids `\-` and its like: tools write these all the
 * same, and providers take them, so that such patterns are read without it.
 *
 * @throws SyntaxError where it is none
 */
export const schemaPattern: NonNullable<CodeOptions['regExp']> = Object.assign(
  (pattern: string, flags: string): RegExp => {
    try {
      return new RegExp(pattern, flags);
    } catch (error) {
      if (MISTAKEN.test(pattern.replaceAll(KNOWN_ESCAPE, ''))) throw error;
      return new RegExp(pattern, flags.replace('u', ''));
    }
  },
  { code: 'schemaPattern' },
);
