import type { Runtime } from '../../../src/core/ports.ts';
import { Exchange, pause, readWhole } from './exchange.ts';
import type { Ask, Ending, Policy, Rival } from './rival.ts';

const WAITS_MS = [1_000, 2_000, 4_000, 8_000];
/** The schedule says nothing of a limit; without one a silent provider would hold every request for ever. */
const CALL_MS = 30_000;
const FAILURES = 5;
const WINDOW_MS = 60_000;
const COOLDOWN_MS = 30_000;

/** The schedule of the library that this project descends from, to the letter. */
export const SEED_SCHEDULE: Rival = {
  name: 'seed schedule',
  says: `whole answers alone; 1, 2, 4 and 8 s on each target in turn, without jitter or budget; a circuit per target (5 failures in 60 s, 30 s), half open for whoever comes; calls end after ${CALL_MS / 1_000} s`,
  make: (targets, runtime, leastLimitMs) => new SeedSchedule(targets, runtime, Math.max(CALL_MS, leastLimitMs)),
};

class SeedSchedule implements Policy {
  readonly #runtime: Runtime;
  readonly #callMs: number;
  readonly #circuits: ReadonlyMap<string, Circuit>;

  constructor(targets: readonly string[], runtime: Runtime, callMs: number) {
    this.#runtime = runtime;
    this.#callMs = callMs;
    this.#circuits = new Map(targets.map((target) => [target, new Circuit(() => runtime.now())]));
  }

  async serve(ask: Ask): Promise<Ending> {
    for (const target of ask.asked.chain) {
      const text = await this.#exhaust(ask, target);
      if (text !== undefined) {
        ask.client?.output(text);
        return { ok: true, text };
      }
      if (ask.signal.aborted) break;
    }
    return { ok: false };
  }

  isHeldOff(target: string): boolean {
    return this.#circuits.get(target)?.isOpen === true;
  }

  /** All attempts on one target; its circuit is asked when its turn comes, not between them. */
  async #exhaust(ask: Ask, target: string): Promise<string | undefined> {
    const circuit = this.#circuits.get(target);
    if (circuit?.isOpen !== false) return undefined;
    for (const waitMs of [...WAITS_MS, undefined]) {
      try {
        const text = await readWhole(new Exchange(ask, target, false, this.#runtime, { totalMs: this.#callMs }));
        circuit.succeeded();
        return text;
      } catch {
        if (ask.signal.aborted) return undefined;
        circuit.failed();
      }
      if (waitMs === undefined) break;
      try {
        await pause(this.#runtime, waitMs, ask.signal);
      } catch {
        break;
      }
    }
    return undefined;
  }
}

class Circuit {
  readonly #now: () => number;
  #failuresAtMs: number[] = [];
  #openedAtMs: number | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  get isOpen(): boolean {
    return this.#openedAtMs !== undefined && this.#now() - this.#openedAtMs < COOLDOWN_MS;
  }

  /** Closes a circuit that is half open; failures of a closed one are forgotten by their age alone. */
  succeeded(): void {
    if (this.#openedAtMs === undefined) return;
    this.#failuresAtMs = [];
    this.#openedAtMs = undefined;
  }

  failed(): void {
    const nowMs = this.#now();
    this.#failuresAtMs = [...this.#failuresAtMs.filter((atMs) => nowMs - atMs < WINDOW_MS), nowMs];
    if (this.#openedAtMs !== undefined || this.#failuresAtMs.length >= FAILURES) this.#openedAtMs = nowMs;
  }
}
