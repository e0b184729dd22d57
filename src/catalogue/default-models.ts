import type { TargetConfig } from '../config/port/resolved.ts';
import type { Timers } from '../core/ports.ts';
import type { Call } from '../engine/port/call.ts';
import type { Target } from '../targets/target.ts';

/** How long a target may take to name its models, in milliseconds. */
const MAX_WAIT_MS = 2_000;

/** For how long a target that was silent is not asked again, in milliseconds: requests must not wait for it one by one. */
const SILENT_FOR_MS = 30_000;

/** The default models of targets, also of those that choose for themselves: Ollama's first installed one, asked for when needed. */
export class DefaultModels {
  readonly #runtime: Timers;
  readonly #chosen = new Map<string, string>();
  readonly #asking = new Map<string, Promise<void>>();
  #learnt = 0;
  readonly #silentUntilMs = new Map<string, number>();

  constructor(runtime: Timers) {
    this.#runtime = runtime;
  }

  /** Returns the default model of a target; empty while it has not said which. */
  of(target: TargetConfig): string {
    return target.model ?? this.#chosen.get(target.name) ?? '';
  }

  /** How often a target has said which is its own, or that was forgotten. */
  get learnt(): number {
    return this.#learnt;
  }

  /** Forgets what a target has chosen: it is another upstream. */
  forget(target: string): void {
    this.#chosen.delete(target);
    this.#learnt += 1;
    this.#silentUntilMs.delete(target);
  }

  /**
   * Returns the call with the models of its chain filled in, where their targets could be asked for them, and with the time that
   * this took taken off; at once where none is missing. Waits at most two seconds, and for nobody who has given up. Never rejects.
   */
  fill<Output, Final>(
    call: Call<Output, Final>,
    targets: ReadonlyMap<string, Target>,
  ): Call<Output, Final> | Promise<Call<Output, Final>> {
    return call.chain.every(({ model }) => model !== '') ? call : this.#fill(call, targets);
  }

  async #fill<Output, Final>(
    call: Call<Output, Final>,
    targets: ReadonlyMap<string, Target>,
  ): Promise<Call<Output, Final>> {
    const startedAtMs = this.#runtime.now();
    const names = new Set(call.chain.filter(({ model }) => model === '').map(({ target }) => target));
    await endOf(Promise.all([...names].map((name) => this.#ask(name, targets.get(name)))), call.signal);
    const chain = call.chain.map((entry) => {
      const model = entry.model === '' ? (this.#chosen.get(entry.target) ?? '') : entry.model;
      return model === entry.model ? entry : { ...entry, model, circuit: model };
    });
    const { timeoutMs } = call;
    const leftMs = timeoutMs === undefined ? undefined : timeoutMs - (this.#runtime.now() - startedAtMs);
    return { ...call, chain, timeoutMs: leftMs };
  }

  /** Asks a target, unless that is useless; whoever needs the same answer meanwhile waits for the same question. */
  async #ask(name: string, target: Target | undefined): Promise<void> {
    const isSilent = this.#runtime.now() < (this.#silentUntilMs.get(name) ?? 0);
    if (target === undefined || isSilent || this.#chosen.has(name)) return;
    let asking = this.#asking.get(name);
    if (asking === undefined) {
      asking = this.#askNow(name, target).finally(() => this.#asking.delete(name));
      this.#asking.set(name, asking);
    }
    await asking;
  }

  async #askNow(name: string, { upstream }: Target): Promise<void> {
    const abort = new AbortController();
    const timer = this.#runtime.setTimer(MAX_WAIT_MS, () => {
      this.#silentUntilMs.set(name, this.#runtime.now() + SILENT_FOR_MS);
      abort.abort();
    });
    try {
      const model = await upstream.installedModel(abort.signal);
      if (model !== undefined) {
        this.#chosen.set(name, model);
        this.#learnt += 1;
      }
    } catch {
      // A target that cannot be asked has said nothing: its turn in the chain is passed over.
    } finally {
      this.#runtime.clearTimer(timer);
    }
  }
}

/** Waits for work that goes on by itself, at most until the signal aborts. */
async function endOf(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const stop = (): void => {
    resolve();
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
