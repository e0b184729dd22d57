import type { OpenDirectory } from '../../src/callers/credentials/caller-directory.ts';
import type { ShownCredentials } from '../../src/callers/port/credentials.ts';
import { directoryOf } from '../callers/credentials/directories.ts';
import { mulberry32 } from '../support/virtual-runtime.ts';
import { pick } from './mutations.ts';
import { CLAIMS, createTokenSpoiler, type SpoiledToken } from './spoiled-tokens.ts';

const JWKS = 'https://login.example.com/jwks.json';

/** What is said of credentials that are there and do not do; nothing else may be. */
const WORDS: ReadonlySet<string> = new Set([
  'The credentials of the call are not valid.',
  'The credentials of the call cannot be read: send one API key or token, as authorization: Bearer or as x-api-key.',
  'The token of the call has expired.',
]);

/** The issuer has two keys, and a token may not say which is its own. */
const MOST_LOOKS = 2;

/** How many tokens were taken, and what was found that may not be. */
export interface TokenReport {
  readonly taken: number;
  readonly refused: number;
  /** Signatures that were looked at. */
  readonly looks: number;
  readonly findings: readonly string[];
}

/**
 * Shows spoiled tokens to a directory of callers; case n of a seed is the first of the seed plus n.
 *
 * @param looks how many signatures were looked at so far, in this process
 */
export async function fuzzTokens(seed: number, count: number, looks: () => number): Promise<TokenReport> {
  const spoiler = createTokenSpoiler();
  const findings: string[] = [];
  const ended = { taken: 0, refused: 0 };
  let [wallMs, fetched] = [0, 0];
  const directory = directoryOf(
    [{ name: 'tenant', jwt: { issuer: CLAIMS.iss, audiences: [CLAIMS.aud], jwks: JWKS, claim: 'sub' } }],
    {
      wall: () => wallMs,
      now: () => 0,
      fetch: () => {
        fetched++;
        return Promise.resolve(new Response(spoiler.jwks));
      },
      told: () => findings.push('something was logged'),
    },
  );
  const began = looks();
  for (let index = 0; index < count; index++) {
    const random = mulberry32(seed + index);
    const spoiled = spoiler.next(random);
    // In one of three moments good tokens have expired, in that millisecond.
    wallMs = CLAIMS.exp * 1_000 - pick(random, 3);
    const before = looks();
    const found = (what: string) => void findings.push(`seed ${seed + index} (${spoiled.made.join(', ')}): ${what}`);
    const isTaken = await show(directory, spoiled, shownAs(spoiled.token, random), wallMs, found);
    ended[isTaken ? 'taken' : 'refused']++;
    if (looks() - before > MOST_LOOKS) found(`${looks() - before} signatures were looked at`);
  }
  directory.close();
  if (fetched > 1) findings.push(`keys were fetched ${fetched} times`);
  return { ...ended, looks: looks() - began, findings };
}

/** Shows a token and looks at what is said; whether it was taken. */
async function show(
  directory: OpenDirectory,
  { token, isGood }: SpoiledToken,
  shown: ShownCredentials,
  wallMs: number,
  found: (what: string) => void,
): Promise<boolean> {
  const isValid = isGood && wallMs < CLAIMS.exp * 1_000;
  try {
    const who = await directory.identify(shown);
    if (!('credentials' in who)) {
      if (!isValid) found(`was taken for ${who.name}`);
      return true;
    }
    if (isValid) found(`was refused: ${who.credentials}`);
    if (who.reason !== 'AUTH_INVALID' || who.class !== 'local_refusal') found(`ended with ${who.reason}`);
    const { message, ...rest } = who;
    if (!WORDS.has(message)) found(`was told: ${message}`);
    const said = JSON.stringify(rest);
    if (token.length > 8 && said.includes(token.slice(0, 8))) found('was repeated in its failure');
  } catch (error) {
    found(`threw ${String(error)}`);
  }
  return false;
}

/** In one header, in the other, or in both. */
function shownAs(token: string, random: () => number): ShownCredentials {
  const authorization = `Bearer ${token}`;
  const ways = [{ authorization }, { apiKey: token }, { authorization: `bEARER  ${token}`, apiKey: token }];
  return ways[pick(random, ways.length)] ?? {};
}
