import type { CredentialFault, ShownCredentials } from '../port/credentials.ts';
import { type DigestedSecret, digestOf } from './api-keys.ts';
import { shownSecret } from './shown-secret.ts';

/**
 * Reads keys and tokens of calls. What a connection shows again is not hashed again: it is compared with what the same connection has
 * shown, in constant time, since callers behind a proxy may share a connection (`docs/adr/0026-callers-are-known-at-the-headers.md`).
 * Whose it is, and whether it still is, is looked up for each call.
 */
export class ShownBefore {
  readonly #last = new WeakMap<object, DigestedSecret & Pick<ShownCredentials, 'authorization' | 'apiKey'>>();

  /** As `shownSecret`. */
  read(shown: ShownCredentials): DigestedSecret | CredentialFault | undefined {
    const { connection, authorization, apiKey } = shown;
    const last = connection && this.#last.get(connection);
    if (last !== undefined && isSame(last.authorization, authorization) && isSame(last.apiKey, apiKey)) return last;
    const found = shownSecret(shown);
    if (typeof found !== 'object') return found;
    const read = { authorization, apiKey, secret: found.secret, digest: digestOf(found.secret) };
    if (connection !== undefined) this.#last.set(connection, read);
    return read;
  }
}

/** Whether two texts are the same; how long that takes tells nothing but their lengths. */
function isSame(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  let differs = one.length ^ other.length;
  for (let index = 0; index < other.length; index += 1) differs |= one.charCodeAt(index) ^ other.charCodeAt(index);
  return differs === 0;
}
