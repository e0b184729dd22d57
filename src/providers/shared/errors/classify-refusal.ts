import { classOfStatus } from '../provider-failure.ts';
import { blamedField, refusedField } from './blamed-field.ts';
import { ALWAYS_TOO_LARGE } from './length-words.ts';
import { limitsRate, namesFault, refusalByCode, refusalByVagueCode, refusalInBand } from './meaning-of-codes.ts';
import type { ErrorMeaning } from './refusal-kind.ts';
import { refusalByWords, saysFault, saysUsedUp } from './meaning-of-words.ts';
import { USED_UP_CODES } from './telling-codes.ts';
import type { ProviderError } from './provider-error.ts';

/**
 * Says what an error means. In this order count: what a filter has ended, codes that tell by themselves, words, a field that
 * is refused by its name, words and codes of an account that is used up (where no time to wait is named), codes that tell more
 * than a status that says little, and the status; inside an answer, which has none, the codes that stand for one. What nothing is
 * known about there is the provider's own fault.
 *
 * @param status undefined for an error inside an answer that names none
 * @param namesWait whether the error says how long to wait
 */
export function classifyRefusal(error: ProviderError, status: number | undefined, namesWait: boolean): ErrorMeaning {
  if (error.isPage) return refusalByPage(status);
  const known = knownRefusal(error, status, namesWait);
  if (known !== undefined) return known;
  const { codes, words, params } = error;
  const kind = status === undefined ? (refusalInBand(codes) ?? 'overload') : classOfStatus(status);
  const isKnown = kind !== 'bad_request' || !OF_CONTENTS.has(status) || namesFault(codes) || saysFault(words);
  return { kind, field: params.map(blamedField).find((field) => field !== undefined), isKnown };
}

/** Says what an error means by all but its status; undefined where nothing in it is known. Parameters as above. */
export function knownRefusal(
  error: ProviderError,
  status: number | undefined,
  namesWait: boolean,
): ErrorMeaning | undefined {
  const { codes, words } = error;
  const known =
    (error.isFiltered ? FILTERED : undefined) ??
    refusalByCode(codes) ??
    (isAboveRate(error, status) ? ABOVE_RATE : undefined) ??
    refusalByWords(words, status) ??
    refusalOfField(error, status) ??
    (!namesWait && isUsedUp(error, status) ? USED_UP : undefined) ??
    refusalByVagueCode(codes, status);
  return known && { ...known, field: known.field ?? fieldOf(error) };
}

/** Where a request is refused for what stands in it. */
const OF_CONTENTS: ReadonlySet<number | undefined> = new Set([undefined, 400, 422]);

const FILTERED: ErrorMeaning = { kind: 'content', isKnown: true };
const ABOVE_RATE: ErrorMeaning = { kind: 'rate_limit', isKnown: true };
const USED_UP: ErrorMeaning = { kind: 'quota', isKnown: true };

/**
 * A page is a proxy's, and no word of the provider's. That it takes no request so large says nothing of other servers; that it
 * forbids one may be due to this prompt, so that the target is not suspended for all. Otherwise its status counts.
 */
function refusalByPage(status: number | undefined): ErrorMeaning {
  if (status === 413) return { kind: 'capability', field: 'messages', isKnown: true };
  if (status === undefined || status === 403) return { kind: 'protocol', isKnown: true };
  const kind = classOfStatus(status);
  return { kind, isKnown: kind !== 'bad_request' };
}

function refusalOfField({ codes, words, params }: ProviderError, status: number | undefined): ErrorMeaning | undefined {
  if (!OF_CONTENTS.has(status)) return undefined;
  const refused = refusedField(codes, words, params);
  if (refused !== undefined) return { kind: 'capability', field: refused.field, isKnown: true };
  // Tools on Chat Completions at a reasoning model: the error names the effort, and has no code.
  const namesEffort = params.some((param) => param === 'reasoning_effort' || param === 'reasoning.effort');
  return namesEffort ? { kind: 'capability', isKnown: true } : undefined;
}

/**
 * Whether an answer broke off since it was more than the account may ever use at once: it had begun, so that the model could take
 * the request.
 */
export function isAboveRate({ codes, words }: ProviderError, status: number | undefined): boolean {
  return status === undefined && ALWAYS_TOO_LARGE.words.test(words) && limitsRate(codes);
}

function isUsedUp({ codes, words }: ProviderError, status: number | undefined): boolean {
  return saysUsedUp(words, status) || codes.some((code) => USED_UP_CODES.has(code));
}

function fieldOf({ codes, words, params }: ProviderError): string | undefined {
  return params.map(blamedField).find((field) => field !== undefined) ?? refusedField(codes, words, params)?.field;
}
