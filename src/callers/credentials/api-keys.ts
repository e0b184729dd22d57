import { hash, timingSafeEqual } from 'node:crypto';

import type { ApiKeyConfig, NamedKeyConfig } from '../../config/port/caller-config.ts';
import type { Caller } from '../port/caller.ts';

/** Digests of API keys: of the configuration, which stay, and of the file of keys, which is replaced as a whole. */
export class ApiKeys {
  readonly #fixed: ReadonlyMap<string, KnownKey>;
  #keys: ReadonlyMap<string, KnownKey>;

  /** @param fixed keys with their callers */
  constructor(fixed: Iterable<readonly [ApiKeyConfig, Caller]>) {
    this.#fixed = new Map(
      [...fixed].map(([key, caller]) => [Buffer.from(key.sha256, 'hex').toString('latin1'), knownKey(key, caller)]),
    );
    this.#keys = this.#fixed;
  }

  /** Replaces the keys of the file. One that stands in the configuration as well is valid as long as either is. */
  replace(keys: readonly NamedKeyConfig[], callerOf: (name: string) => Caller | undefined): void {
    const all = new Map(this.#fixed);
    for (const key of keys) {
      const caller = callerOf(key.caller);
      if (caller === undefined) continue;
      const known = knownKey(key, caller);
      const name = known.digest.toString('latin1');
      const fixed = all.get(name);
      if (fixed === undefined || fixed.expiresAtMs < known.expiresAtMs) all.set(name, known);
    }
    this.#keys = all;
  }

  /** Returns whose key it is, and when it expires; undefined where it is nobody's. What has been shown before is compared once. */
  find(shown: DigestedSecret): Pick<KnownKey, 'caller' | 'expiresAtMs'> | undefined {
    const known = this.#keys.get(shown.digest);
    if (known === undefined || shown.comparedWith === known) return known;
    SHOWN.write(shown.digest, 'latin1');
    if (!timingSafeEqual(known.digest, SHOWN)) return undefined;
    shown.comparedWith = known;
    return known;
  }
}

/** A key or token that a call shows. */
export interface DigestedSecret {
  readonly secret: string;
  /** As {@link digestOf} returns it. */
  readonly digest: string;
  /** The key whose digest was found to be the same. */
  comparedWith?: KnownKey | undefined;
}

interface KnownKey {
  readonly digest: Buffer;
  readonly caller: Caller;
  /** Infinity where it does not expire. */
  readonly expiresAtMs: number;
}

/** Returns the SHA-256 of a secret, a character for each byte: a buffer would cost four times as much. */
export function digestOf(secret: string): string {
  return hash('sha256', secret, 'latin1');
}

/** The digest that is looked for, for the moment of a comparison. */
const SHOWN = Buffer.alloc(32);

function knownKey(key: ApiKeyConfig, caller: Caller): KnownKey {
  return { digest: Buffer.from(key.sha256, 'hex'), caller, expiresAtMs: key.expiresAtMs ?? Infinity };
}
