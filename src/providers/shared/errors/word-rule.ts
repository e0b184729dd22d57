import type { RefusalKind } from './refusal-kind.ts';

/** What words mean at some statuses. */
export interface WordRule {
  readonly kind: RefusalKind;
  /** The field of the request that is to blame, in the contract's names. */
  readonly field?: string;
  /** The statuses at which they are believed, undefined for an error inside an answer; absent: at all. */
  readonly at?: ReadonlySet<number | undefined>;
  readonly words: RegExp;
  /** Words beside which they mean something else. */
  readonly unless?: RegExp;
}

/** Makes a set of statuses; an error inside an answer, which has none, is always among them. */
export function statuses(...numbers: readonly number[]): ReadonlySet<number | undefined> {
  return new Set([undefined, ...numbers]);
}

/** Where a request is refused as such. */
export const REFUSALS = statuses(400, 413, 422);

/** The same, and the statuses of servers that have no better word for what they cannot do. */
export const REFUSALS_AND_FAULTS = statuses(400, 404, 415, 422, 500, 501);

/**
 * Makes one pattern of several, whatever the case; `^` is the beginning of a sentence. `~60~` are at most sixty characters of one
 * sentence, whose end is a point before a blank: names of models have points too.
 */
export function anyOf(...patterns: readonly string[]): RegExp {
  const source = patterns.join('|').replaceAll(/~(\d+)~/g, String.raw`(?:[^.\n]|\.(?=\S)){0,$1}`);
  return new RegExp(source, 'im');
}
