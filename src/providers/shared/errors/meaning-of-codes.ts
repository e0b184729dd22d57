import type { ErrorMeaning, RefusalKind } from './refusal-kind.ts';
import { CAPABILITY_CODES, TELLING_CODES } from './telling-codes.ts';

type CodeMap = ReadonlyMap<string, Omit<ErrorMeaning, 'isKnown'>>;

const BY_CODE: CodeMap = new Map([
  ...mapOf(TELLING_CODES),
  ...Object.entries(CAPABILITY_CODES).map(([key, field]) => [key, { kind: 'capability' as const, field }] as const),
]);

/** Codes that tell more than a status that says little. */
const BY_VAGUE_CODE: CodeMap = new Map(
  mapOf({
    rate_limit: [
      'ratelimit',
      'ratelimited',
      'ratelimitexceeded',
      'ratelimitreached',
      'toomanyrequests',
      'resourceexhausted',
      'throttling',
      'throttled',
      'throttlingratequota',
      'throttlingburstrate',
      'requestlimitexceeded',
    ],
    auth: [
      'authentication',
      'authenticationfailed',
      'invalidauthentication',
      'invalidcredentials',
      'permission',
      'permissiondenied',
      'unauthorized',
      'unauthenticated',
      'accessdenied',
      'forbidden',
    ],
  }),
);

/** Codes that stand for the status that an error inside an answer lacks. */
const IN_BAND: CodeMap = new Map(
  mapOf({
    overload: [
      'server',
      'internalserver',
      'internal',
      'api',
      'overloaded',
      'engineoverloaded',
      'serviceunavailable',
      'unavailable',
      'timeout',
      'deadlineexceeded',
      // MiniMax: unknown, late, internal.
      '1000',
      '1001',
      '1013',
      '1024',
    ],
    rate_limit: ['1002'],
    auth: ['1004', '2049'],
    conflict: ['conflict'],
    not_found: ['notfound', 'resourcenotfound'],
    bad_request: [
      '2013',
      'invalidrequest',
      'badrequest',
      'invalidargument',
      'invalidparameter',
      'unprocessableentity',
      'requesttoolarge',
      'invalidimage',
      'invalidimageformat',
      'invalidbase64image',
      'invalidimageurl',
      'imagetoolarge',
      'imagetoosmall',
      'imageparse',
      'invalidimagemode',
      'imagefiletoolarge',
      'unsupportedimagemediatype',
      'emptyimagefile',
      'failedtodownloadimage',
      'imagefilenotfound',
    ],
  }),
);

/** Codes of what is wrong with a request wherever it goes. `invalid_request_error` is none: all say so of all. */
const FAULTS: ReadonlySet<string> = new Set([
  'missingrequiredparameter',
  'invalidtype',
  'emptyarray',
  'invalidimage',
  'invalidbase64image',
  'imageparse',
  'emptyimagefile',
]);

/** Statuses that servers of many makers send for whatever happened. Without one it is an error inside an answer. */
const VAGUE: ReadonlySet<number | undefined> = new Set([undefined, 400, 422, 500]);

/** Returns what codes mean whatever the status of their error; undefined where they say nothing by themselves. */
export function refusalByCode(keys: readonly string[]): ErrorMeaning | undefined {
  return firstOf(BY_CODE, keys);
}

/** Returns what further codes mean where the status says little. */
export function refusalByVagueCode(keys: readonly string[], status: number | undefined): ErrorMeaning | undefined {
  return VAGUE.has(status) ? firstOf(BY_VAGUE_CODE, keys) : undefined;
}

/** Returns what codes mean in place of a status. */
export function refusalInBand(keys: readonly string[]): RefusalKind | undefined {
  return limitsRate(keys) ? 'rate_limit' : firstOf(IN_BAND, keys)?.kind;
}

/** Whether codes speak of a rate, or of what OpenAI counts for one: `tokens` and `requests` are types of its errors. */
export function limitsRate(keys: readonly string[]): boolean {
  return keys.some((key) => BY_VAGUE_CODE.get(key)?.kind === 'rate_limit' || key === 'tokens' || key === 'requests');
}

/** Whether a code says what is wrong with the request itself. */
export function namesFault(keys: readonly string[]): boolean {
  return keys.some((key) => FAULTS.has(key));
}

function firstOf(table: CodeMap, keys: readonly string[]): ErrorMeaning | undefined {
  for (const key of keys) {
    const found = table.get(key);
    if (found !== undefined) return { ...found, isKnown: true };
  }
  return undefined;
}

function mapOf<Kind extends RefusalKind>(
  byKind: Readonly<Record<Kind, readonly string[]>>,
): readonly (readonly [key: string, refusal: { readonly kind: RefusalKind }])[] {
  const pairs: (readonly [string, { readonly kind: RefusalKind }])[] = [];
  let kind: Kind;
  for (kind in byKind) for (const key of byKind[kind]) pairs.push([key, { kind }]);
  return pairs;
}
