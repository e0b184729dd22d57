import type { JSONWebKeySet, LocalJWKSet } from 'jose';

import { isKeySetUrl } from '../../core/formats/key-set-url.ts';
import type { System } from '../../core/ports.ts';
import { watchFile } from '../../files/file-watch.ts';

/** How often the keys of a URL are fetched anew, in milliseconds. */
const REFRESH_MS = 10 * 60_000;
/** How soon after a failure they are. */
const RETRY_MS = 30_000;
/** The least time between two fetches because of a key that is not known, in milliseconds. */
const COOL_DOWN_MS = 30_000;
const FETCH_MS = 5_000;
const MOST_BYTES = 1024 * 1024;

/** What key sets need of the world. */
export interface KeySetParts {
  readonly system: Pick<System, 'now' | 'setIdleTimer' | 'clearTimer'>;
  readonly fetch: typeof fetch;
  /** Hears what an operator should know, without a URL. */
  readonly warn: (message: string) => void;
  /** Hears that other keys are in the set now: what the old ones have signed must be looked at again. */
  readonly changed: () => void;
}

/** The public keys of an issuer, from a file or a URL. The last good ones stay where new ones cannot be had. */
export class KeySet {
  /** Told that other keys are in the set now: what the old ones have signed must be looked at again. */
  changed: () => void;
  readonly #place: string;
  readonly #parts: KeySetParts;
  readonly #stopWatching: (() => void) | undefined;
  #text: string | undefined;
  #keys: LocalJWKSet | undefined;
  #kids: ReadonlySet<string> = new Set();
  #loading: Promise<void> | undefined;
  #fetchedAtMs = -Infinity;
  #timer: ReturnType<System['setIdleTimer']> | undefined;
  #isClosed = false;

  /** Begins to load. Of the first state of a file nothing is told: whoever has read the configuration has told of it. */
  constructor(place: string, parts: KeySetParts) {
    this.#place = place;
    this.#parts = parts;
    this.changed = parts.changed;
    if (isKeySetUrl(place)) {
      void this.#fetch();
      return;
    }
    let isFirst = true;
    const unreadable = (code: string): void => {
      if (!isFirst)
        parts.warn(`the file of public keys ${place} (jwks) cannot be read (${code}); the keys before stay`);
      isFirst = false;
      done?.();
    };
    let done: (() => void) | undefined;
    this.#loading = new Promise((resolve) => {
      done = resolve;
    });
    const changed = (text: string): void => {
      void this.#take(text, isFirst).finally(done);
      isFirst = false;
    };
    this.#stopWatching = watchFile(place, parts.system, { changed, unreadable }, true);
  }

  /** The keys; where there are none yet, a promise of the first attempt to load them. */
  get(): LocalJWKSet | undefined | Promise<LocalJWKSet | undefined> {
    if (this.#keys !== undefined || this.#loading === undefined) return this.#keys;
    return this.#loading.then(() => this.#keys);
  }

  /** Whether a key has this id. */
  has(kid: string): boolean {
    return this.#kids.has(kid);
  }

  /** Fetches the keys anew for one that is not known, unless that was tried a while ago; resolves when they are there. */
  async refresh(): Promise<void> {
    if (!isKeySetUrl(this.#place)) return;
    if (this.#loading === undefined && this.#parts.system.now() - this.#fetchedAtMs < COOL_DOWN_MS) return;
    await (this.#loading ?? this.#fetch());
  }

  /** Loads nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.#stopWatching?.();
    if (this.#timer !== undefined) this.#parts.system.clearTimer(this.#timer);
  }

  #fetch(): Promise<void> {
    const { system, warn } = this.#parts;
    if (this.#timer !== undefined) system.clearTimer(this.#timer);
    this.#fetchedAtMs = system.now();
    this.#loading = (async () => {
      let isGood = false;
      try {
        isGood = await this.#take(await this.#download());
      } catch {
        warn('the public keys of an issuer (jwks) cannot be fetched; the keys before stay');
      }
      this.#loading = undefined;
      if (!this.#isClosed) {
        this.#timer = system.setIdleTimer(isGood ? REFRESH_MS : RETRY_MS, () => void this.#fetch());
      }
    })();
    return this.#loading;
  }

  async #download(): Promise<string> {
    const abort = new AbortController();
    const timer = this.#parts.system.setIdleTimer(FETCH_MS, () => abort.abort());
    try {
      const response = await this.#parts.fetch(this.#place, {
        headers: { accept: 'application/json' },
        redirect: 'error',
        signal: abort.signal,
      });
      if (!response.ok) throw new Error('no keys');
      let text = '';
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? []) {
        text += decoder.decode(chunk, { stream: true });
        if (text.length > MOST_BYTES) throw new Error('too many keys');
      }
      return text;
    } finally {
      abort.abort();
      this.#parts.system.clearTimer(timer);
    }
  }

  async #take(text: string, isToldOf = false): Promise<boolean> {
    if (text === this.#text) return true;
    try {
      const { createLocalJWKSet } = await import('jose');
      const parsed: unknown = JSON.parse(text);
      if (!isKeySet(parsed)) throw new TypeError('no key set');
      this.#keys = createLocalJWKSet(parsed);
      this.#kids = new Set(parsed.keys.flatMap(({ kid }) => kid ?? []));
    } catch {
      if (isToldOf) return false;
      const what = isKeySetUrl(this.#place)
        ? 'what stands where the public keys of an issuer (jwks) should be'
        : `what stands in the file of public keys ${this.#place} (jwks)`;
      this.#parts.warn(`${what} is no key set; the keys before stay`);
      return false;
    }
    if (this.#text !== undefined) this.changed();
    this.#text = text;
    return true;
  }
}

function isKeySet(value: unknown): value is JSONWebKeySet {
  return typeof value === 'object' && value !== null && 'keys' in value && Array.isArray(value.keys);
}
