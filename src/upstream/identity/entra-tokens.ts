import type { EntraIdentity } from '../../core/outbound/entra-identity.ts';
import type { System, TimerHandle } from '../../core/ports.ts';
import type { Transport } from '../../core/transport.ts';
import { requestToken } from './token-request.ts';

/** The clock and the timers of tokens. */
type TokenTimers = Pick<System, 'now' | 'setIdleTimer' | 'clearTimer'>;

/** How long before its end a token is replaced, in milliseconds; one of a shorter life at half of it. */
const AHEAD_MS = 300_000;
/** How long a request for a token may take, in milliseconds. */
const REQUEST_MS = 10_000;
/** After how long a token is asked for again that could not be had while the one before was still good, in milliseconds. */
const RETRY_MS = 30_000;
/** How old a token must be for a refusal to mean that it is none any more, in milliseconds. */
const YOUNG_MS = 60_000;

interface HeldToken {
  readonly text: string;
  readonly sinceMs: number;
  readonly endsAtMs: number;
}

/** Has a token of Microsoft Entra at hand: asks for it once, and replaces it ahead of its end, beside all calls. */
export class EntraTokens {
  readonly #identity: EntraIdentity;
  readonly #transport: Transport;
  readonly #timers: TokenTimers;
  #held: HeldToken | undefined;
  #loading: Promise<string> | undefined;
  #timer: TimerHandle | undefined;
  #abort: AbortController | undefined;
  #isClosed = false;

  /** Asks for nothing before the first call. The transport is closed with this. */
  constructor(identity: EntraIdentity, transport: Transport, timers: TokenTimers) {
    this.#identity = identity;
    this.#transport = transport;
    this.#timers = timers;
  }

  /** The token that is at hand. A secret. */
  get held(): string | undefined {
    return this.#held?.text;
  }

  /** Returns a token, at once where there is one. All who wait share a request. Rejects with a FailureError of class `auth`. */
  token(): string | Promise<string> {
    const held = this.#held;
    return held !== undefined && this.#timers.now() < held.endsAtMs ? held.text : this.#load();
  }

  /** Learns that a provider has refused a token (401), which may have been revoked; the next call has another. */
  refused(token: string): void {
    const held = this.#held;
    if (held?.text === token && this.#timers.now() - held.sinceMs >= YOUNG_MS) this.#held = undefined;
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#clearTimer();
    this.#abort?.abort();
    await this.#transport.close();
  }

  #load(): Promise<string> {
    this.#loading ??= this.#request().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #request(): Promise<string> {
    this.#clearTimer();
    const abort = new AbortController();
    this.#abort = abort;
    const limit = this.#timers.setIdleTimer(REQUEST_MS, () => abort.abort());
    try {
      const { token, lifetimeMs } = await requestToken(this.#identity, this.#transport, abort.signal);
      const now = this.#timers.now();
      this.#held = { text: token, sinceMs: now, endsAtMs: now + lifetimeMs };
      this.#refreshIn(Math.max(lifetimeMs - AHEAD_MS, lifetimeMs / 2));
      return token;
    } catch (error) {
      if (this.#held !== undefined && this.#timers.now() < this.#held.endsAtMs) this.#refreshIn(RETRY_MS);
      throw error;
    } finally {
      this.#timers.clearTimer(limit);
    }
  }

  #refreshIn(ms: number): void {
    if (this.#isClosed) return;
    this.#timer = this.#timers.setIdleTimer(ms, () => {
      // Whoever needs a token when there is none any more is told why.
      this.#load().catch(() => undefined);
    });
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#timers.clearTimer(this.#timer);
    this.#timer = undefined;
  }
}
