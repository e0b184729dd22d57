import type * as Jose from 'jose';

import type { CallerConfig, CallersConfig, JwtConfig } from '../../config/port/caller-config.ts';
import type { Runtime } from '../../core/ports.ts';
import type { NamedCallers } from '../named-callers.ts';
import type { Caller } from '../port/caller.ts';
import type { CredentialFailure, Identified } from '../port/credentials.ts';
import { KeySet, type KeySetParts } from './key-set.ts';
import { credentialFailure, tokenFailure } from './refusals.ts';
import { claimValues, isFor, readToken, SIGNATURES, tokenTime, type TokenClaims } from './token-claims.ts';

/** Most verified tokens, and most callers by the values of their claims, that are remembered. */
const MOST_REMEMBERED = 10_000;
/** Most keys that are tried where a token does not say which one has signed it. */
const MOST_KEYS = 8;
/** Longest value of a claim that names a caller, in characters. */
const MOST_CHARACTERS = 200;

/** What a key set says of a token. Where several say different things, the first of these is why nobody is known. */
const VERDICTS = ['no_keys', 'signed', 'not_signed', 'no_such_key'] as const;

type Verdict = (typeof VERDICTS)[number];

/** What a token fails with of which nobody is known, by what its key set says. */
const FAILURES = {
  no_keys: credentialFailure('issuer_unavailable'),
  signed: tokenFailure('caller'),
  not_signed: tokenFailure('signature'),
  no_such_key: tokenFailure('kid'),
} as const satisfies Record<Verdict, CredentialFailure>;

/** What verifies signatures: loaded with the first keys, and not at all where nobody is known by tokens. */
type Library = typeof Jose;

interface Trust {
  readonly caller: CallerConfig;
  readonly jwt: JwtConfig;
  readonly keys: KeySet;
}

/** Knows callers by the tokens of issuers (RFC 7519), each verified once. */
export class Tokens {
  readonly #named: NamedCallers;
  readonly #wall: Runtime['wall'];
  /** Those that want a value first: who is named by it is not one of many. */
  readonly #trusts: readonly Trust[];
  readonly #keySets = new Map<string, KeySet>();
  readonly #verified = new Map<string, { readonly caller: Caller; readonly expiresAtMs: number }>();
  readonly #underWay = new Map<string, Promise<Identified>>();
  readonly #byValue = new Map<string, Caller>();

  /** @param before whose key sets are used on where they are those of the same issuers */
  constructor(
    config: CallersConfig,
    named: NamedCallers,
    wall: Runtime['wall'],
    parts: Omit<KeySetParts, 'changed'>,
    before?: Tokens,
  ) {
    this.#named = named;
    this.#wall = wall;
    const changed = (): void => this.#verified.clear();
    const keySet = (place: string): KeySet => {
      const known = this.#keySets.get(place);
      if (known !== undefined) return known;
      const made = before?.handOver(place, changed) ?? new KeySet(place, { ...parts, changed });
      this.#keySets.set(place, made);
      return made;
    };
    this.#trusts = config.callers
      .flatMap((caller) => (caller.jwt === undefined ? [] : { caller, jwt: caller.jwt, keys: keySet(caller.jwt.jwks) }))
      .sort((one, other) => Number(one.jwt.value === undefined) - Number(other.jwt.value === undefined));
  }

  /** Whether anybody is known by tokens. */
  get isEmpty(): boolean {
    return this.#trusts.length === 0;
  }

  /** Returns whose token has this digest, where it was verified and has not expired. */
  known(digest: string): Identified | undefined {
    const known = this.#verified.get(digest);
    if (known === undefined) return undefined;
    if (known.expiresAtMs > this.#wall()) return known.caller;
    this.#verified.delete(digest);
    return credentialFailure('expired_token');
  }

  /** Verifies a token; one at a time where it comes again meanwhile. A promise only where a signature must be looked at. */
  identify(token: string, digest: string): Identified | Promise<Identified> {
    const underWay = this.#underWay.get(digest);
    if (underWay !== undefined) return underWay;
    const claims = readToken(token);
    if (claims === undefined) return tokenFailure('form');
    const ofIssuer = this.#trusts.filter(({ jwt }) => jwt.issuer === claims.payload['iss']);
    const trusts = ofIssuer.filter(({ jwt }) => isFor(claims, jwt.audiences));
    if (trusts.length === 0) return tokenFailure(ofIssuer.length === 0 ? 'iss' : 'aud');
    const time = tokenTime(claims, this.#wall());
    if (time !== 'valid') return time === 'expired' ? credentialFailure('expired_token') : tokenFailure(time);
    const identifying = this.#verify(token, digest, claims, trusts).finally(() => this.#underWay.delete(digest));
    this.#underWay.set(digest, identifying);
    return identifying;
  }

  /** Gives a key set to another, which is told of its changes from now on. */
  handOver(place: string, changed: () => void): KeySet | undefined {
    const keys = this.#keySets.get(place);
    if (keys === undefined) return undefined;
    this.#keySets.delete(place);
    keys.changed = changed;
    return keys;
  }

  /** Loads no keys any more. */
  close(): void {
    for (const keys of this.#keySets.values()) keys.close();
  }

  async #verify(token: string, digest: string, claims: TokenClaims, trusts: readonly Trust[]): Promise<Identified> {
    const library = await import('jose');
    const verdicts = new Map<KeySet, Verdict>();
    for (const trust of trusts) {
      const { keys } = trust;
      let verdict = verdicts.get(keys);
      if (verdict === undefined) {
        verdict = await verdictOf(library, keys, token, claims);
        verdicts.set(keys, verdict);
      }
      const caller = verdict === 'signed' ? this.#callerOf(trust, claims) : undefined;
      if (caller === undefined) continue;
      this.#remember(this.#verified, digest, { caller, expiresAtMs: Number(claims.payload['exp']) * 1_000 });
      return caller;
    }
    const said = new Set(verdicts.values());
    return FAILURES[VERDICTS.find((verdict) => said.has(verdict)) ?? 'not_signed'];
  }

  #callerOf({ caller, jwt }: Trust, claims: TokenClaims): Caller | undefined {
    const values = claimValues(claims, jwt.claim);
    if (jwt.value !== undefined) return values.includes(jwt.value) ? this.#named.get(caller.name) : undefined;
    const [value] = values;
    // Who has several values is nobody in particular.
    if (value === undefined || values.length > 1 || !isName(value)) return undefined;
    const name = `${caller.name}:${value}`;
    const known = this.#byValue.get(name);
    if (known !== undefined) return known;
    const made = this.#named.ofValue(caller, value);
    this.#remember(this.#byValue, name, made);
    return made;
  }

  #remember<Value>(memory: Map<string, Value>, key: string, value: Value): void {
    if (memory.size >= MOST_REMEMBERED) for (const oldest of memory.keys()) if (memory.delete(oldest)) break;
    memory.set(key, value);
  }
}

function isName(value: string): boolean {
  return value !== '' && value.length <= MOST_CHARACTERS && value.isWellFormed() && !/\p{C}/u.test(value);
}

async function verdictOf(
  { compactVerify, errors }: Library,
  keys: KeySet,
  token: string,
  { kid }: TokenClaims,
): Promise<Verdict> {
  let set = await keys.get();
  if (set === undefined || (kid !== undefined && !keys.has(kid))) {
    await keys.refresh();
    set = await keys.get();
  }
  if (set === undefined) return 'no_keys';
  if (kid !== undefined && !keys.has(kid)) return 'no_such_key';
  const options = { algorithms: [...SIGNATURES] };
  try {
    await compactVerify(token, set, options);
    return 'signed';
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) return 'not_signed';
    let left = MOST_KEYS;
    for await (const key of error) {
      if (left-- === 0) break;
      try {
        await compactVerify(token, key, options);
        return 'signed';
      } catch {
        // Another key may be the one.
      }
    }
    return 'not_signed';
  }
}
