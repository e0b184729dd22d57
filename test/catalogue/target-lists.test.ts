import { describe, expect, it } from 'vitest';

import { createConfig } from '../../src/config/load.ts';
import { DefaultModels } from '../../src/catalogue/default-models.ts';
import { KnownModels } from '../../src/catalogue/known-models.ts';
import { TargetLists } from '../../src/catalogue/target-lists.ts';
import { listModels } from '../../src/catalogue/list-models.ts';
import { LearntQuirks } from '../../src/targets/learnt-quirks.ts';
import type { Target } from '../../src/targets/target.ts';
import { createPriceTable } from '../../src/pricing/price-table.ts';
import { adapterFor } from '../../src/providers/registry.ts';
import type { Question, Reply } from '../../src/upstream/ask.ts';
import { Capability } from '../../gen/understudy/v1/llm_pb.ts';
import { createVirtualRuntime } from '../support/virtual-runtime.ts';

type Answer = (question: Question) => Reply | undefined | 'nothing' | 'fault';

const ok = (json: unknown): Reply => ({ status: 200, body: JSON.stringify(json) });
const models = (...ids: string[]): Reply => ok({ data: ids.map((id) => ({ id, owned_by: 'vllm' })) });

/** As if the provider itself answered. */
const OWN_HOST = { base_url: 'https://api.openai.com/v1', api_key: 'sk' };

function stage(answer: Answer, provider: 'openai' | 'ollama' = 'openai', more: object = {}) {
  const runtime = createVirtualRuntime();
  const asked: string[] = [];
  const now = { answer, open: 0 };
  const own = { name: 'lab', provider, base_url: 'http://127.0.0.1:1/v1', model: 'house', ...more };
  const { targets } = createConfig({ config: { targets: [own] } });
  const ask = async (question: Question, signal: AbortSignal): Promise<Reply | undefined> => {
    asked.push(question.path);
    const reply = now.answer(question);
    if (reply === 'fault') throw new Error('a fault');
    if (reply !== 'nothing') return reply;
    now.open += 1;
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    now.open -= 1;
    return undefined;
  };
  const wired = targets.map((config): Target => {
    const upstream = {
      ask,
      open: () => ({ abort: () => {}, release: () => {}, pause: () => {}, resume: () => {} }),
      installedModel: () => Promise.resolve(undefined),
      prepare: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
    return {
      config,
      adapter: adapterFor(config.provider, 'chat_completions', config.baseUrl),
      upstream,
      quirks: new LearntQuirks(),
    };
  });
  const lists = new TargetLists(runtime, wired);
  const known = new KnownModels(targets, new DefaultModels(runtime), lists);
  const overrides = targets.map(({ name, prices }) => ({ target: name, prices }));
  const list = () => listModels(targets, { prices: createPriceTable({ overrides }), known, lists });
  return { runtime, lists, known, asked, now, list, targets };
}

describe('the list of a target', () => {
  it('is read when the models are listed, and adds what the catalogue lacks', async () => {
    const { list, asked, known } = stage(() => models('Qwen/Qwen3-8B', 'gpt-4o'), 'openai', OWN_HOST);
    const listed = await list();
    expect(listed.map(({ id }) => id)).toEqual(expect.arrayContaining(['Qwen/Qwen3-8B', 'gpt-4o', 'house']));
    expect(listed.find(({ id }) => id === 'house')).toMatchObject({ defaultOfTarget: true, capabilities: [] });
    expect(listed.find(({ id }) => id === 'gpt-4o')).toMatchObject({
      contextWindow: 128_000,
      prices: { input: '2.50' },
    });
    expect(listed.filter(({ id }) => id === 'gpt-4o')).toHaveLength(1);
    expect(asked).toEqual(['/models']);
    expect(known.facts('lab', 'Qwen/Qwen3-8B')).toEqual({ id: 'Qwen/Qwen3-8B' });
  });

  it('is all that is known of another server’s models, with the configuration', async () => {
    const listing = ok({
      data: [
        { id: 'gpt-4o', owned_by: 'openai' },
        { id: 'house-chat', owned_by: 'openai', max_model_len: 40_960 },
      ],
    });
    const prices = [{ model: 'house-chat', input: '1', output: '2' }];
    const { list, known, targets } = stage(() => listing, 'openai', { prices });
    const listed = await list();
    expect(listed.map(({ id }) => id)).toEqual(['gpt-4o', 'house', 'house-chat']);
    const [gpt, , chat] = listed;
    expect(gpt).toMatchObject({ capabilities: [] });
    expect([gpt?.contextWindow, gpt?.maxOutputTokens, gpt?.prices]).toEqual([undefined, undefined, undefined]);
    expect(chat).toMatchObject({ contextWindow: 40_960, prices: { input: '1', output: '2' } });
    const route = targets.map((config) => known.routeTarget(config))[0];
    expect([route?.has('gpt-4o'), route?.has('gpt-6.1-sol'), route?.has('house-chat')]).toEqual([true, false, true]);
    expect(route?.contextWindow('house-chat')).toBe(40_960);
    expect(route?.contextWindow('gpt-4o')).toBeUndefined();
  });

  it('is read every six hours at most, and ten minutes after a failure', async () => {
    const { list, asked, now, runtime } = stage(() => models('one'));
    await list();
    await runtime.advance(6 * 3_600_000 - 1);
    await list();
    expect(asked).toHaveLength(1);
    await runtime.advance(1);
    now.answer = () => ({ status: 500, body: '' });
    const listed = await list();
    expect(asked).toHaveLength(2);
    expect(listed.map(({ id }) => id)).toContain('one');
    await runtime.advance(599_999);
    await list();
    expect(asked).toHaveLength(2);
    await runtime.advance(1);
    await list();
    expect(asked).toHaveLength(3);
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('is waited for two seconds, and its reading ended after ten', async () => {
    const { list, now, runtime } = stage(() => 'nothing');
    let listed = 0;
    const waiting = list().then((all) => (listed = all.length));
    await runtime.advance(1_999);
    expect(listed).toBe(0);
    await runtime.advance(1);
    await waiting;
    expect(listed).toBeGreaterThan(0);
    expect(now.open).toBe(1);
    await runtime.advance(8_000);
    expect(now.open).toBe(0);
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('is read once by all who want it at the same time', async () => {
    const { list, asked } = stage(() => models('one'));
    await Promise.all([list(), list(), list()]);
    expect(asked).toHaveLength(1);
  });

  it.each<[string, Answer]>([
    ['is no JSON', () => ({ status: 200, body: '<html>' })],
    ['cannot be had', () => undefined],
    ['breaks', () => 'fault'],
    ['is of names that are none', () => models('', 'a b', 'openai/*', 'x'.repeat(257))],
  ])('that %s adds nothing', async (_what, answer) => {
    const { list } = stage(answer);
    const without = (await stage(() => undefined).list()).map(({ id }) => id);
    expect((await list()).map(({ id }) => id)).toEqual(without);
  });

  it('is bounded', async () => {
    const { list } = stage(() => models(...Array.from({ length: 10_000 }, (_, index) => `model-${index}`)));
    expect((await list()).filter(({ id }) => id.startsWith('model-'))).toHaveLength(2_000);
  });

  it('is not asked for where a mock answers', async () => {
    const { list, asked } = stage(() => models('one'), 'openai', { mock: true });
    await list();
    expect(asked).toEqual([]);
  });

  it('is given up when the gateway closes', async () => {
    const { list, lists, known, now, runtime } = stage(() => 'nothing');
    const waiting = list();
    await runtime.settle();
    lists.close();
    await waiting;
    expect(now.open).toBe(0);
    known.readListsFor('unknown');
    await list();
    expect(runtime.pendingTimers()).toBe(0);
  });
});

describe('a request that names a model that nobody has', () => {
  it('has the lists read a second later, and the next one finds it', async () => {
    const { known, asked, runtime, targets } = stage(() => models('lab-model'));
    const [config] = targets;
    if (config === undefined) throw new Error('there is no target');
    const route = known.routeTarget(config);
    expect(route.has('lab-model')).toBe(false);
    known.readListsFor('lab-model');
    known.readListsFor('lab-model');
    await runtime.advance(999);
    expect(asked).toEqual([]);
    await runtime.advance(1);
    expect(asked).toEqual(['/models']);
    expect(route.has('lab-model')).toBe(true);
    expect(route.isConfigured('lab-model')).toBe(false);
    known.readListsFor('another');
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('is no such request where the catalogue or the configuration has the model, or none is named', () => {
    const { known, runtime } = stage(() => models('one'), 'openai', OWN_HOST);
    for (const model of ['', 'house', 'gpt-4o', 'gpt-4o-2024-11-20']) known.readListsFor(model);
    expect(runtime.pendingTimers()).toBe(0);
  });
});

describe('the list of an Ollama', () => {
  const shown = {
    capabilities: ['completion', 'tools'],
    model_info: { 'llama.context_length': 131_072 },
  };
  const answer: Answer = ({ path, body }) => {
    if (path === '/api/tags') return ok({ models: [{ name: 'llama3.2:latest' }, { name: 'embed:latest' }] });
    return ok(body?.['model'] === 'embed:latest' ? { capabilities: ['embedding'] } : shown);
  };

  it('says what each installed model can do, and leaves out what holds no conversation', async () => {
    const { list, known, asked } = stage(answer, 'ollama', { model: undefined });
    const listed = await list();
    expect(asked).toEqual(['/api/tags', '/api/show', '/api/show']);
    expect(listed).toMatchObject([
      {
        id: 'llama3.2:latest',
        contextWindow: 131_072,
        capabilities: [Capability.TOOLS, Capability.JSON_OBJECT, Capability.JSON_SCHEMA, Capability.SAMPLING],
      },
    ]);
    expect(known.facts('lab', 'llama3.2')).toMatchObject({ contextWindow: 131_072 });
  });
});
