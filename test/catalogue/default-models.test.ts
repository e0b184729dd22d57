import { describe, expect, it } from 'vitest';

import type { TargetConfig } from '../../src/config/port/resolved.ts';
import { createConfig } from '../../src/config/load.ts';
import { DefaultModels } from '../../src/catalogue/default-models.ts';
import type { Call, ChainEntry } from '../../src/engine/port/call.ts';
import { LearntQuirks } from '../../src/targets/learnt-quirks.ts';
import type { Target } from '../../src/targets/target.ts';
import { adapterFor } from '../../src/providers/registry.ts';
import { createVirtualRuntime } from '../support/virtual-runtime.ts';

/** What an Ollama does when it is asked for its models. */
type Behaviour = 'answers' | 'refuses' | 'is silent' | 'breaks';

function stage(behaviour: Behaviour) {
  const runtime = createVirtualRuntime();
  const now = { behaviour, asked: 0, open: 0 };
  const installedModel = async (signal: AbortSignal): Promise<string | undefined> => {
    now.asked += 1;
    if (now.behaviour === 'breaks') throw new Error('a fault');
    if (now.behaviour === 'answers') return 'llama3.2:latest';
    if (now.behaviour === 'refuses') return undefined;
    now.open += 1;
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    now.open -= 1;
    return undefined;
  };
  const [config] = createConfig({ config: { targets: [{ name: 'local', provider: 'ollama' }] } }).targets;
  if (config === undefined) throw new Error('there is no target');
  const local: Target = {
    config,
    adapter: adapterFor('ollama', 'chat_completions'),
    upstream: {
      open: () => ({ abort: () => {}, release: () => {}, pause: () => {}, resume: () => {} }),
      ask: () => Promise.resolve(undefined),
      installedModel,
      prepare: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
    quirks: new LearntQuirks(),
  };
  const models = new DefaultModels(runtime);
  const fill = async (more: Partial<Call<never, never>> = {}) => models.fill(callOf(more), new Map([['local', local]]));
  return { runtime, now, config, models, fill };
}

function entry(target: string, model: string): ChainEntry {
  return { target, provider: target, model, circuit: model, modelNamedByCaller: false };
}

function callOf(more: Partial<Call<never, never>>): Call<never, never> {
  return {
    chain: [entry('openai', 'gpt-6-sol'), entry('local', '')],
    signal: new AbortController().signal,
    prepare: () => {
      throw new Error('not asked here');
    },
    ...more,
  };
}

function localOf(call: Call<never, never>): ChainEntry | undefined {
  return call.chain.find(({ target }) => target === 'local');
}

describe('a target that chooses its model itself', () => {
  it('is asked once, and has its model from then on', async () => {
    const { fill, now, config, models } = stage('answers');
    expect(models.of(config)).toBe('');
    const [first, second] = await Promise.all([fill(), fill()]);
    for (const call of [first, second, await fill()]) {
      expect(localOf(call)).toMatchObject({ model: 'llama3.2:latest', circuit: 'llama3.2:latest' });
      expect(call.chain[0]).toEqual(entry('openai', 'gpt-6-sol'));
    }
    expect(now.asked).toBe(1);
    expect(models.of(config)).toBe('llama3.2:latest');
  });

  it('keeps the model that is configured', () => {
    const { models, config } = stage('answers');
    const configured: TargetConfig = { ...config, model: 'qwen3' };
    expect(models.of(configured)).toBe('qwen3');
  });

  it.each<Behaviour>(['refuses', 'breaks'])(
    'stays without one where it %s, and is asked again the next time',
    async (behaviour) => {
      const { fill, now, runtime } = stage(behaviour);
      expect(localOf(await fill())?.model).toBe('');
      expect(runtime.pendingTimers()).toBe(0);
      now.behaviour = 'answers';
      expect(localOf(await fill())?.model).toBe('llama3.2:latest');
    },
  );
});

describe('a target that is silent', () => {
  it('is waited for once, not by every request, and asked again later', async () => {
    const { fill, now, runtime } = stage('is silent');
    const waiting = Promise.all([fill(), fill()]);
    await runtime.advance(2_000);
    for (const call of await waiting) expect(localOf(call)?.model).toBe('');
    expect(now).toMatchObject({ asked: 1, open: 0 });

    const before = runtime.now();
    await fill();
    expect([runtime.now(), now.asked]).toEqual([before, 1]);

    await runtime.advance(30_000);
    now.behaviour = 'answers';
    expect(localOf(await fill())?.model).toBe('llama3.2:latest');
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('takes its time from the request', async () => {
    const { fill, runtime } = stage('is silent');
    const waiting = fill({ timeoutMs: 5_000 });
    await runtime.advance(2_000);
    expect((await waiting).timeoutMs).toBe(3_000);
    expect((await stage('answers').fill()).timeoutMs).toBeUndefined();
  });

  it('holds up nobody who has given up', async () => {
    const { fill, runtime } = stage('is silent');
    const gone = new AbortController();
    const waiting = fill({ signal: gone.signal });
    await runtime.advance(100);
    gone.abort();
    expect(localOf(await waiting)?.model).toBe('');
    expect(runtime.now()).toBe(100);
    expect(localOf(await fill({ signal: AbortSignal.abort() }))?.model).toBe('');
  });
});
