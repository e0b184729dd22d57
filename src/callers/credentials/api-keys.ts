import { timingSafeEqual } from 'node:crypto';

import type { ApiKeyConfig, NamedKeyConfig } from '../../config/port/caller-config.ts';
import type { Caller } from '../port/caller.ts';

/** Digests of API keys: of the configuration, which stay, and of the file of keys, which is replaced as a whole. */
export class ApiKeys {
  readonly #fixed: ReadonlyMap<string, KnownKey>;
  #keys: ReadonlyMap<string, KnownKey>;

  /** @param fixed keys with their callers */
  constructor(fixed: Iterable<readonly [ApiKeyConfig, Caller]>) {
    this.#fixed = new Map([...fixed].map(([key, caller]) => [nameOf(digestOf(key)), knownKey(key, caller)]));
    this.#keys = this.#fixed;
  }

  /** Replaces the keys of the file. One that stands in the configuration as well is valid as long as either is. */
  replace(keys: readonly NamedKeyConfig[], callerOf: (name: string) => Caller | undefined): void {
    const all = new Map(this.#fixed);
    for (const key of keys) {
      const caller = callerOf(key.caller);
      if (caller === undefined) continue;
      const known = knownKey(key, caller);
      const name = nameOf(known.digest);
      const fixed = all.get(name);
      if (fixed === undefined || fixed.expiresAtMs < known.expiresAtMs) all.set(name, known);
    }
    this.#keys = all;
  }

  /** Returns whose key has this digest, and when it expires; undefined where it is nobody's. */
  find(digest: Buffer): Pick<KnownKey, 'caller' | 'expiresAtMs'> | undefined {
    const known = this.#keys.get(nameOf(digest));
    return known !== undefined && timingSafeEqual(known.digest, digest) ? known : undefined;
  }
}

interface KnownKey {
  readonly digest: Buffer;
  readonly caller: Caller;
  /** Infinity where it does not expire. */
  readonly expiresAtMs: number;
}

/** Returns a digest as the key of a map. */
export function nameOf(digest: Buffer): string {
  return digest.toString('latin1');
}

function digestOf({ sha256 }: ApiKeyConfig): Buffer {
  return Buffer.from(sha256, 'hex');
}

function knownKey(key: ApiKeyConfig, caller: Caller): KnownKey {
  return { digest: digestOf(key), caller, expiresAtMs: key.expiresAtMs ?? Infinity };
}
