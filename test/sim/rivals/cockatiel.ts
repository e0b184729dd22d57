import type { CircuitBreakerPolicy, IPolicy } from 'cockatiel';
import {
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  ExponentialBackoff,
  fallback,
  handleAll,
  handleWhen,
  retry,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel';

import type { Runtime } from '../../../src/core/ports.ts';
import type { SimClient } from '../sim-client.ts';
import { Exchange, passOn, readWhole } from './exchange.ts';
import type { Ask, Ending, Policy, Rival } from './rival.ts';

/** As long as this engine waits for a first output without statistics. */
const TIMEOUT_MS = 12_000;

/** The library itself, composed as its page shows: `wrap(retry, breaker, timeout)` for each target, `fallback` between them. */
export const COCKATIEL: Rival = {
  name: 'cockatiel 4',
  says: `the real library: per target \`wrap(retry, breaker, timeout)\` with the page's figures (3 retries with exponential backoff, 5 failures in a row, 10 s) and a timeout of ${TIMEOUT_MS / 1_000} s, \`fallback\` from each to the next; a stream is passed on once its headers are there`,
  make: (targets, runtime, leastLimitMs) => new CockatielPolicy(targets, runtime, Math.max(TIMEOUT_MS, leastLimitMs)),
  usesGlobals: true,
};

type Answer = string | Exchange;

class CockatielPolicy implements Policy {
  readonly #runtime: Runtime;
  readonly #policies: ReadonlyMap<string, Composed>;

  constructor(targets: readonly string[], runtime: Runtime, timeoutMs: number) {
    this.#runtime = runtime;
    this.#policies = new Map(targets.map((target) => [target, composed(timeoutMs)]));
  }

  async serve(ask: Ask): Promise<Ending> {
    const [first, ...others] = ask.asked.chain;
    if (first === undefined) return { ok: false };
    try {
      const answer = await this.#ask(ask, first, others);
      if (typeof answer === 'string') return { ok: true, text: answer };
      if (ask.client !== undefined) await this.#passOn(answer, ask.client, ask.signal);
      return { ok: true };
    } catch {
      return { ok: false };
    }
  }

  isHeldOff(target: string): boolean {
    return this.#policies.get(target)?.breaker.state !== CircuitState.Closed;
  }

  /** The library hears no abort any more once the headers are there; a careful caller sees to the body. */
  async #passOn(answer: Exchange, client: SimClient, signal: AbortSignal): Promise<void> {
    const leave = (): void => {
      answer.abort();
    };
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    try {
      await passOn(answer, client);
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  #ask(ask: Ask, target: string, others: readonly string[]): Promise<Answer> {
    const composition = this.#policies.get(target);
    if (composition === undefined) throw new Error(`no target ${target}`);
    const asking = (): Promise<Answer> =>
      composition.policy.execute(({ signal }) => this.#call(ask, target, signal), ask.signal);
    const [next, ...rest] = others;
    // Whose caller has gone has nothing to say against the targets that follow.
    const isWaiting = handleWhen(() => !ask.signal.aborted);
    if (next === undefined) return asking();
    return fallback(isWaiting, () => this.#ask(ask, next, rest)).execute(asking);
  }

  async #call(ask: Ask, target: string, signal: AbortSignal): Promise<Answer> {
    const exchange = new Exchange(ask, target, ask.client !== undefined, this.#runtime, {}, signal);
    await exchange.headers();
    return ask.client === undefined ? readWhole(exchange) : exchange;
  }
}

interface Composed {
  readonly policy: IPolicy;
  readonly breaker: CircuitBreakerPolicy;
}

function composed(timeoutMs: number): Composed {
  const breaker = circuitBreaker(handleAll, { halfOpenAfter: 10_000, breaker: new ConsecutiveBreaker(5) });
  const policy = wrap(
    retry(handleAll, { maxAttempts: 3, backoff: new ExponentialBackoff() }),
    breaker,
    timeout(timeoutMs, { strategy: TimeoutStrategy.Aggressive, abortOnReturn: false }),
  );
  return { policy, breaker };
}
