import { wordOf } from './json/value.ts';

/**
 * Returns the word for how a provider says it has served a call, by which it bills: its service tier, speed or region. What is no
 * word is `unknown`, which has no price; undefined where nothing is said.
 */
export function servedWord(value: unknown): string | undefined {
  return value === undefined || value === null || value === '' ? undefined : (wordOf(value) ?? 'unknown');
}
