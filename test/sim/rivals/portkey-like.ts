import type { Runtime } from '../../../src/core/ports.ts';
import { CallError, Exchange, passOn, pause, readWhole } from './exchange.ts';
import type { Ask, Ending, Policy, Rival } from './rival.ts';

const RETRIES = 3;
const FIRST_WAIT_MS = 1_000;
const HEADERS_MS = 10_000;
const RETRIED = new Set([429, 500, 502, 503, 504]);

/** What the documentation and the retry handler of Portkey's open gateway describe, its optional circuit breaker left off. */
export const PORTKEY_LIKE: Rival = {
  name: 'Portkey-like',
  says: `the first target that answers, in order; on each ${RETRIES} retries of 429 and 5xx after 1, 2 and 4 s without jitter; a limit of ${HEADERS_MS / 1_000} s that ends with the headers; no circuit; Retry-After not followed (it is opt-in)`,
  make: (_, runtime, leastLimitMs) => new PortkeyLike(runtime, Math.max(HEADERS_MS, leastLimitMs)),
};

class PortkeyLike implements Policy {
  readonly #runtime: Runtime;
  readonly #headersMs: number;

  constructor(runtime: Runtime, headersMs: number) {
    this.#runtime = runtime;
    this.#headersMs = headersMs;
  }

  async serve(ask: Ask): Promise<Ending> {
    for (const target of ask.asked.chain) {
      const exchange = await this.#retried(ask, target);
      if (ask.signal.aborted) break;
      if (exchange === undefined) continue;
      // With the headers it is decided who answers.
      try {
        if (ask.client === undefined) return { ok: true, text: await readWhole(exchange) };
        await passOn(exchange, ask.client);
        return { ok: true };
      } catch {
        return { ok: false };
      }
    }
    return { ok: false };
  }

  async #retried(ask: Ask, target: string): Promise<Exchange | undefined> {
    for (let retries = 0; ; retries++) {
      try {
        const exchange = new Exchange(ask, target, ask.client !== undefined, this.#runtime, {
          headersMs: this.#headersMs,
        });
        await exchange.headers();
        return exchange;
      } catch (error) {
        if (retries === RETRIES || !isRetried(error)) return undefined;
      }
      try {
        await pause(this.#runtime, FIRST_WAIT_MS * 2 ** retries, ask.signal);
      } catch {
        return undefined;
      }
    }
  }
}

/** Its own time limit counts as a 408, which is not retried; a failed connection is. */
function isRetried(error: unknown): boolean {
  if (!(error instanceof CallError)) throw error;
  if (error.failure.class === 'silence' || error.failure.class === 'client_cancel') return false;
  return error.status === undefined || RETRIED.has(error.status);
}
