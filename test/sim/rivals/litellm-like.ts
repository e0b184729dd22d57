import type { Runtime } from '../../../src/core/ports.ts';
import { CallError, Exchange, passOn, pause, readWhole } from './exchange.ts';
import type { Ask, Ending, Policy, Rival } from './rival.ts';

const RETRIES = 2;
const COOLDOWN_MS = 5_000;
const MINUTE_MS = 60_000;
const LEAST_CALLS = 5;
const READ_MS = 30_000;
const LONGEST_HINT_MS = 60_000;

/** What the documentation of LiteLLM's router describes, with one deployment for each step of the fallback chain. */
export const LITELLM_LIKE: Rival = {
  name: 'LiteLLM-like',
  says: `${RETRIES} retries on every hop of the chain, after Retry-After up to a minute or 0.5 and 1 s with a quarter of jitter; a target cools down for ${COOLDOWN_MS / 1_000} s after a 429 or when more than half of at least ${LEAST_CALLS} calls in this minute failed; ${READ_MS / 1_000} s without a byte end a call; a stream that has begun is not moved; no abort of a call that has not answered yet when the caller leaves`,
  make: (targets, runtime, leastLimitMs) => new LitellmLike(targets, runtime, Math.max(READ_MS, leastLimitMs)),
};

/** Calls of one target in the current minute of the clock. */
interface Minute {
  startsAtMs: number;
  calls: number;
  failures: number;
  coolsUntilMs: number;
}

class LitellmLike implements Policy {
  readonly #runtime: Runtime;
  readonly #readMs: number;
  readonly #minutes: ReadonlyMap<string, Minute>;

  constructor(targets: readonly string[], runtime: Runtime, readMs: number) {
    this.#readMs = readMs;
    this.#runtime = runtime;
    this.#minutes = new Map(
      targets.map((target) => [target, { startsAtMs: 0, calls: 0, failures: 0, coolsUntilMs: 0 }]),
    );
  }

  async serve(ask: Ask): Promise<Ending> {
    for (const target of ask.asked.chain) {
      for (let tries = 0; tries <= RETRIES; tries++) {
        const minute = this.#minuteOf(target);
        if (this.#runtime.now() < minute.coolsUntilMs) break;
        try {
          return await this.#ask(ask, target, minute);
        } catch (error) {
          if (!(error instanceof CallError)) throw error;
          if (tries === RETRIES || ask.signal.aborted) break;
          await this.#wait(error, tries, ask.signal);
        }
        if (ask.signal.aborted) return { ok: false };
      }
      if (ask.signal.aborted) break;
    }
    return { ok: false };
  }

  isHeldOff(target: string): boolean {
    return this.#runtime.now() < this.#minuteOf(target).coolsUntilMs;
  }

  async #ask(ask: Ask, target: string, minute: Minute): Promise<Ending> {
    const streams = ask.client !== undefined;
    const exchange = new Exchange(
      ask,
      target,
      streams,
      this.#runtime,
      { readMs: this.#readMs },
      new AbortController().signal,
    );
    const leave = (): void => {
      exchange.abort();
    };
    try {
      await exchange.headers();
      if (ask.client === undefined) {
        const text = await readWhole(exchange);
        this.#count(minute, undefined);
        return { ok: true, text };
      }
    } catch (error) {
      this.#count(minute, error);
      throw error;
    }
    ask.signal.addEventListener('abort', leave, { once: true });
    if (ask.signal.aborted) leave();
    try {
      await passOn(exchange, ask.client);
      this.#count(minute, undefined);
      return { ok: true };
    } catch (error) {
      if (!ask.signal.aborted) this.#count(minute, error);
      return { ok: false };
    } finally {
      ask.signal.removeEventListener('abort', leave);
    }
  }

  async #wait(error: CallError, tries: number, signal: AbortSignal): Promise<void> {
    const hintMs = error.failure.retryAfterMs ?? 0;
    const ownMs = 500 * 2 ** tries * (0.75 + 0.25 * this.#runtime.random());
    try {
      await pause(this.#runtime, hintMs > 0 && hintMs <= LONGEST_HINT_MS ? hintMs : ownMs, signal);
    } catch {
      // The caller has left; the loop looks after it.
    }
  }

  #minuteOf(target: string): Minute {
    const minute = this.#minutes.get(target);
    if (minute === undefined) throw new Error(`no target ${target}`);
    const startsAtMs = Math.floor(this.#runtime.now() / MINUTE_MS) * MINUTE_MS;
    if (minute.startsAtMs !== startsAtMs) Object.assign(minute, { startsAtMs, calls: 0, failures: 0 });
    return minute;
  }

  #count(minute: Minute, error: unknown): void {
    minute.calls += 1;
    if (error === undefined) return;
    minute.failures += 1;
    const isLimited = error instanceof CallError && error.status === 429;
    const mostFail = minute.calls >= LEAST_CALLS && minute.failures > minute.calls / 2;
    if (isLimited || mostFail) minute.coolsUntilMs = this.#runtime.now() + COOLDOWN_MS;
  }
}
