import type { ChainEntry, Recovery } from '../../../src/engine/port/call.ts';
import type { RetryConfig } from '../../../src/engine/port/config.ts';
import { DEFAULT_ENGINE_CONFIG } from '../../../src/engine/port/config.ts';
import { Engine } from '../../../src/engine/engine.ts';
import { timingOf } from '../sim-config.ts';
import type { SimRuntime } from '../sim-runtime.ts';
import type { Ask, Ending, Policy, Rival } from './rival.ts';

const NAME = 'Understudy';

/** The engine itself, with its defaults. */
export const UNDERSTUDY: Rival = {
  name: NAME,
  says: 'this engine with its defaults; a stream that breaks off fails (RECOVERY_FAIL)',
  make: (targets, runtime) => new EnginePolicy(targets, runtime, 'FAIL', {}),
};

/** The engine for callers who ask for streams to be begun anew. */
export const UNDERSTUDY_RESTART: Rival = {
  name: `${NAME}, RESTART`,
  says: 'the same where the caller asks for RECOVERY_RESTART',
  make: (targets, runtime) => new EnginePolicy(targets, runtime, 'RESTART', {}),
};

/** The engine with the preset that follows the seed's schedule. */
export const UNDERSTUDY_EXHAUST_FIRST: Rival = {
  name: `${NAME}, EXHAUST_FIRST`,
  says: 'the same as the first with the preset EXHAUST_FIRST and no jitter',
  make: (targets, runtime) => new EnginePolicy(targets, runtime, 'FAIL', { order: 'EXHAUST_FIRST', jitter: 'NONE' }),
};

class EnginePolicy implements Policy {
  readonly #engine: Engine;
  readonly #recovery: Recovery;

  constructor(targets: readonly string[], runtime: SimRuntime, recovery: Recovery, retry: Partial<RetryConfig>) {
    const config = { ...DEFAULT_ENGINE_CONFIG, retry: { ...DEFAULT_ENGINE_CONFIG.retry, ...retry } };
    const named = targets.map((name) => ({ name, provider: name, limitGroup: name, ownHost: true }));
    this.#engine = new Engine({ config, targets: named, runtime });
    this.#recovery = recovery;
  }

  isHeldOff(target: string): boolean {
    return this.#engine.health().find((health) => health.target === target)?.circuit !== 'CLOSED';
  }

  async serve({ asked, client, connect, signal }: Ask): Promise<Ending> {
    const result = await this.#engine.run<string, string>({
      chain: asked.chain.map((target) => entryOf(target)),
      timeoutMs: asked.timeoutMs,
      signal,
      client,
      recovery: this.#recovery,
      upstreamStreams: true,
      prepare: ({ target }) => ({
        timing: timingOf({ ...asked, json: false }),
        open: (sink) => connect(target, true, sink),
      }),
    });
    return result.ok ? { ok: true, text: result.outputs.join('') } : { ok: false };
  }
}

function entryOf(target: string): ChainEntry {
  return { target, provider: target, model: 'model', circuit: 'model', modelNamedByCaller: false };
}
