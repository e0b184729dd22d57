import { createHmac } from 'node:crypto';

import { createIssuer, type TokenIssuer } from '../support/token-issuer.ts';
import { pick } from './mutations.ts';

/** When good tokens expire, in seconds since the epoch. */
const EXPIRY_S = 1_800_000_000;

/** What a good token says. */
export const CLAIMS = { iss: 'https://login.example.com/', aud: 'llm', sub: 'acme', exp: EXPIRY_S };

/** A token, what was done to it, and whether it is what its issuer has signed, to the letter, and in its time. */
export interface SpoiledToken {
  readonly token: string;
  readonly made: readonly string[];
  readonly isGood: boolean;
}

/** Makes tokens of an issuer of two keys, `one` and `two`, and spoils most of them. */
export interface TokenSpoiler {
  /** The public keys. */
  readonly jwks: string;
  next(random: () => number): SpoiledToken;
}

type Make = (issuer: TokenIssuer, other: TokenIssuer, stranger: TokenIssuer) => string;
type Spoil = (token: string, random: () => number, other: string) => string;

/** A token of so many characters is spoiled no further: headers are bounded. */
const LONGEST = 50_000;

/** Tokens that are good until something is done to them. */
const GOOD: Readonly<Record<string, Make>> = {
  good: (issuer) => issuer.token(CLAIMS),
  'of the other key': (_issuer, other) => other.token({ ...CLAIMS, aud: ['x', 'llm'] }),
  'without a kid': (issuer) => issuer.token(CLAIMS, { kid: undefined }),
};

/** Tokens that are not, though some are signed. */
const BAD: Readonly<Record<string, Make>> = {
  none: (issuer) => issuer.signed({ alg: 'none' }, CLAIMS, () => ''),
  'none with a signature': (issuer) => issuer.signed({ alg: 'None', kid: 'one' }, CLAIMS, issuer.sign),
  'HMAC with the public key': (issuer) => issuer.signed({ alg: 'HS256', kid: 'one' }, CLAIMS, hmacOf(issuer)),
  'another algorithm': (issuer) => issuer.token(CLAIMS, { alg: 'RS256' }),
  'a stronger algorithm': (issuer) => issuer.token(CLAIMS, { alg: 'ES384' }),
  'an algorithm of a list': (issuer) => issuer.token(CLAIMS, { alg: ['ES256'] }),
  'a key of another kid': (issuer) => issuer.token(CLAIMS, { kid: 'two' }),
  'a kid that is not known': (issuer) => issuer.token(CLAIMS, { kid: '../one' }),
  'a stranger': (_issuer, _other, stranger) => stranger.token(CLAIMS),
  'a stranger without a kid': (_issuer, _other, stranger) => stranger.token(CLAIMS, { kid: undefined }),
  'its own key': (_issuer, _other, stranger) => stranger.token(CLAIMS, { jwk: JSON.parse(stranger.jwks).keys[0] }),
  'an extension': (issuer) => issuer.token(CLAIMS, { crit: ['exp'] }),
  'expired by a second': (issuer) => issuer.token({ ...CLAIMS, exp: EXPIRY_S - 1 }),
  'without an end': (issuer) => issuer.token({ ...CLAIMS, exp: undefined }),
  'an end beyond numbers': (issuer) => issuer.signed({ alg: 'ES256', kid: 'one' }, HUGE_EXP, issuer.sign),
  'not yet': (issuer) => issuer.token({ ...CLAIMS, nbf: EXPIRY_S + 3_600 }),
  'another audience': (issuer) => issuer.token({ ...CLAIMS, aud: 'LLM' }),
  'another issuer': (issuer) => issuer.token({ ...CLAIMS, iss: 'https://login.example.com' }),
  'a subject of control characters': (issuer) => issuer.token({ ...CLAIMS, sub: 'ac\u0000me\u202e' }),
  'a subject without end': (issuer) => issuer.token({ ...CLAIMS, sub: 'é'.repeat(1_000) }),
  'no object': (issuer) => issuer.signed({ alg: 'ES256', kid: 'one' }, 'null', issuer.sign),
  deep: (issuer) => issuer.signed({ alg: 'ES256', kid: 'one' }, '{"a":'.repeat(1_500), issuer.sign),
  huge: (issuer) => issuer.token({ ...CLAIMS, pad: 'x'.repeat(20_000) }),
};

const HUGE_EXP = JSON.stringify(CLAIMS).replace(/"exp":\d+/, '"exp":1e999');
const ODD = [
  '.',
  '..',
  '=',
  '%2e',
  ' ',
  '\n',
  '\u0000',
  'é',
  '\u{1f511}',
  '\ud800',
  '__proto__',
  ',',
  'Bearer ',
  '-',
  '_',
  '+',
  '/',
];

const SPOILS: Readonly<Record<string, Spoil>> = {
  cut: (token, random) => token.slice(0, pick(random, token.length)),
  behead: (token, random) => token.slice(1 + pick(random, token.length)),
  splice: (token, random, other) =>
    token.slice(0, pick(random, token.length)) + other.slice(pick(random, other.length)),
  'change a letter': (token, random) => {
    const at = pick(random, token.length);
    return token.slice(0, at) + LETTERS.charAt(pick(random, LETTERS.length)) + token.slice(at + 1);
  },
  'change the last letter': (token, random) => token.slice(0, -1) + LETTERS.charAt(pick(random, LETTERS.length)),
  odd: (token, random) => {
    const at = pick(random, token.length + 1);
    return token.slice(0, at) + (ODD[pick(random, ODD.length)] ?? '') + token.slice(at);
  },
  'swap headers': (token, _random, other) => swapped(token, other, 0),
  'swap claims': (token, _random, other) => swapped(token, other, 1),
  'swap signatures': (token, _random, other) => swapped(token, other, 2),
  'sign with zeros': (token) => `${token.slice(0, token.lastIndexOf('.') + 1)}${'A'.repeat(86)}`,
  'sign with nothing': (token) => token.slice(0, token.lastIndexOf('.') + 1),
  double: (token) => `${token}.${token}`,
  repeat: (token, random) => token.repeat(1 + pick(random, Math.ceil(LONGEST / (token.length + 1)))),
  'other letters of base64': (token) => token.replaceAll('-', '+').replaceAll('_', '/'),
  'other case': (token) => token.toUpperCase(),
  'encode anew': (token) => Buffer.from(token).toString('base64url'),
};

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Makes a spoiler with keys of its own. */
export function createTokenSpoiler(): TokenSpoiler {
  const [issuer, other, stranger] = [createIssuer('one'), createIssuer('two'), createIssuer('one')];
  const make = (all: Readonly<Record<string, Make>>) =>
    Object.entries(all).map(([name, one]) => ({ name, token: one(issuer, other, stranger) }));
  const good = make(GOOD);
  const all = [...good, ...make(BAD)];
  const signed = new Set(good.map(({ token }) => token));
  const keys: readonly unknown[] = [issuer, other].flatMap(({ jwks }) => JSON.parse(jwks).keys);
  const names = Object.keys(SPOILS);
  return {
    jwks: JSON.stringify({ keys }),
    next: (random) => {
      // Half of the cases begin with a good token, so that what is done to it is what spoils it.
      const from = random() < 0.5 ? good : all;
      const { name = '', token: first = '' } = from[pick(random, from.length)] ?? {};
      const made = [name];
      let token = first;
      for (let left = pick(random, 4); left > 0 && token.length < LONGEST; left--) {
        const spoil = names[pick(random, names.length)] ?? '';
        token = SPOILS[spoil]?.(token, random, all[pick(random, all.length)]?.token ?? '') ?? token;
        made.push(spoil);
      }
      return { token, made, isGood: signed.has(token) };
    },
  };
}

function swapped(token: string, other: string, part: number): string {
  const parts = token.split('.');
  parts[part] = other.split('.')[part] ?? '';
  return parts.join('.');
}

function hmacOf({ publicKey }: TokenIssuer): (input: string) => string {
  const secret = publicKey.export({ format: 'pem', type: 'spki' });
  return (input) => createHmac('sha256', secret).update(input).digest('base64url');
}
