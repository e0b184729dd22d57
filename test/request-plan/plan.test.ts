import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';

import { MessageSchema, ReasoningEffort, Role } from '../../gen/understudy/v1/chat_pb.ts';
import { ChatRequestSchema } from '../../gen/understudy/v1/llm_pb.ts';
import { WarningCode } from '../../gen/understudy/v1/routing_pb.ts';
import { Accounting } from '../../src/pricing/accounting.ts';
import type { CostBounds } from '../../src/core/money.ts';
import { createConfig } from '../../src/config/load.ts';
import type { ConfigInput } from '../../src/config/file/schema.ts';
import type { ChainEntry, Serving } from '../../src/engine/port/call.ts';
import type { RouteTarget } from '../../src/engine/route/route.ts';
import { AllowedChains } from '../../src/request-plan/allowed-chain.ts';
import { planRequest } from '../../src/request-plan/plan.ts';
import type { PlanContext } from '../../src/request-plan/plan.ts';
import { LearntQuirks } from '../../src/targets/learnt-quirks.ts';
import type { Target } from '../../src/targets/target.ts';
import { PriceFallback } from '../../src/pricing/price-fallback.ts';
import { createPriceTable } from '../../src/pricing/price-table.ts';
import { modelFacts } from '../../src/providers/models/catalogued-models.ts';
import { adapterFor } from '../../src/providers/registry.ts';
import type { Plan } from '../../src/server/port/gateway-port.ts';
import type { UpstreamCall } from '../../src/upstream/target-client.ts';
import { say } from '../support/chat-samples.ts';

type ChatInit = MessageInitShape<typeof ChatRequestSchema>;

const TARGETS: NonNullable<ConfigInput['targets']> = [
  { name: 'gpt', provider: 'openai', api_key: 'k', model: 'gpt-6-sol' },
  { name: 'plain', provider: 'openai', api_key: 'k', model: 'gpt-4o', api: 'chat_completions' },
  { name: 'claude', provider: 'anthropic', api_key: 'k', model: 'claude-sonnet-5' },
  { name: 'local', provider: 'ollama' },
  {
    name: 'azure',
    provider: 'azure-openai',
    base_url: 'https://r.openai.azure.com/openai/v1',
    api_key: 'k',
    model: 'd',
  },
  {
    name: 'patient',
    provider: 'openai',
    api_key: 'k',
    model: 'gpt-4o',
    timeouts: { first_output: '7s', progress: '9s' },
  },
];

/** Everything that requests are planned with; what would go to an upstream is noted. */
function context(configured = TARGETS): PlanContext & { readonly calls: UpstreamCall[] } {
  const calls: UpstreamCall[] = [];
  const config = createConfig({ config: { targets: configured } });
  const table = createPriceTable();
  const targets = config.targets.map((target): [string, Target] => {
    const upstream: Target['upstream'] = {
      open: (call) => {
        calls.push(call);
        return { abort: () => {}, release: () => {}, pause: () => {}, resume: () => {} };
      },
      ask: () => Promise.resolve(undefined),
      installedModel: () => Promise.resolve(undefined),
      prepare: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
    const adapter = adapterFor(target.provider, target.api ?? 'chat_completions', target.baseUrl);
    return [target.name, { config: target, adapter, upstream, quirks: new LearntQuirks() }];
  });
  const routed = config.targets.map(({ name, provider, model = '', models }): [string, RouteTarget] => [
    name,
    {
      name,
      provider,
      model,
      isConfigured: (id) => models.includes(id),
      has: (id) => modelFacts(provider, id) !== undefined,
      contextWindow: () => undefined,
    },
  ]);
  return {
    calls,
    targets: new Map(targets),
    chains: new AllowedChains({
      targets: new Map(routed),
      routes: new Map(config.routes.map((route) => [route.name, route.entries])),
      learnt: () => 0,
    }),
    accounting: new Accounting(table, new PriceFallback(() => Promise.reject(new Error('none'))), () => 0),
    facts: (name, model) => {
      const provider = config.targets.find((target) => target.name === name)?.provider ?? '';
      return modelFacts(provider, model);
    },
  };
}

function plan(init: ChatInit, streams = true, made = context()): Plan {
  const request = create(ChatRequestSchema, { messages: [say(Role.USER, 'Hi')], ...init });
  const planned = planRequest(request, streams, made);
  if ('reason' in planned) throw new Error(`refused: ${planned.reason}`);
  return planned;
}

function entryOf(planned: Plan, target: string): ChainEntry {
  const entry = planned.chain.find((one) => one.target === target);
  if (entry === undefined) throw new Error(`${target} is not in the chain`);
  return entry;
}

function prepared(planned: Plan, entry: ChainEntry) {
  const made = planned.prepare(entry);
  if (!('open' in made)) throw new Error(`refused: ${made.reason} ${made.field ?? ''}`);
  return made;
}

function timing(target: string, { routing, ...init }: Omit<ChatInit, '$typeName'>, streams = true) {
  const planned = plan({ ...init, routing: { targets: [target], ...routing } }, streams);
  const [entry] = planned.chain;
  if (entry === undefined) throw new Error('the chain is empty');
  return prepared(planned, entry).timing;
}

function servedBy({ target, provider, model }: ChainEntry): Serving {
  return { number: 1, target, provider, model: `${model}-reported`, requestedModel: model };
}

describe('a plan', () => {
  it.each([{ maxTokens: 50 }, {}, { maxTokens: 10_000_000 }])(
    'knows before its first attempt what that will ask leave for (%o)',
    (options) => {
      const planned = plan({ options });
      const asked: CostBounds[] = [];
      const ignored = { giveBack: () => undefined, grown: () => undefined };
      const spending = { claim: (bounds: CostBounds) => void asked.push(bounds), ...ignored };
      const made = planned.prepare(entryOf(planned, 'gpt'), spending);
      if ('open' in made) made.claim?.(1_000);
      expect(asked).toEqual([planned.bounds?.()]);
      expect(asked[0]?.most).toBeGreaterThan(0n);
    },
  );

  it('reckons once what was asked before the first attempt, and anew for another one', () => {
    const planned = plan({});
    const ahead = planned.bounds?.();
    const asked: CostBounds[] = [];
    const ignored = { giveBack: () => undefined, grown: () => undefined };
    const spending = { claim: (bounds: CostBounds) => void asked.push(bounds), ...ignored };
    for (const entry of planned.chain) {
      const made = planned.prepare(entry, spending);
      if ('open' in made) made.claim?.(1_000);
    }
    expect(asked[0]).toBe(ahead);
    expect(asked.slice(1)).not.toContain(ahead);
  });

  it('does not know what an attempt may cost whose model has no price', () => {
    expect(plan({ routing: { targets: ['azure'] } }).bounds?.()).toBeUndefined();
  });

  it('has the chain of the route, each entry with its own model', () => {
    const { chain } = plan({});
    expect(chain.map(({ target, model }) => `${target}/${model}`)).toEqual([
      'gpt/gpt-6-sol',
      'plain/gpt-4o',
      'claude/claude-sonnet-5',
      'local/',
      'azure/d',
      'patient/gpt-4o',
    ]);
  });

  it('is refused where the route is none, before anything is contacted', () => {
    const request = create(ChatRequestSchema, { routing: { route: 'nowhere' } });
    expect(planRequest(request, true, context())).toMatchObject({ reason: 'ROUTE_NOT_FOUND', field: 'routing.route' });
  });

  it('passes over a target that has not said its model', () => {
    const planned = plan({});
    expect(planned.prepare(entryOf(planned, 'local'))).toMatchObject({
      class: 'local_refusal',
      reason: 'PROVIDER_UNAVAILABLE',
    });
  });
});

describe('routing.strict', () => {
  const options = { temperature: 0.5 };

  it('refuses a target that would drop a parameter, naming the field', () => {
    const planned = plan({ options, routing: { strict: true } });
    expect(planned.prepare(entryOf(planned, 'claude'))).toMatchObject({
      class: 'capability',
      reason: 'UNSUPPORTED_PARAMETER',
      field: 'options.temperature',
    });
    expect(planned.prepare(entryOf(planned, 'plain'))).toHaveProperty('open');
  });

  it('is off otherwise: the parameter is dropped with a warning of the one who answered', () => {
    const planned = plan({ options });
    const claude = entryOf(planned, 'claude');
    prepared(planned, claude);
    prepared(planned, entryOf(planned, 'plain'));
    expect(planned.warnings(servedBy(claude))).toMatchObject([
      { code: WarningCode.PARAMETER_DROPPED, field: 'options.temperature', target: 'claude' },
    ]);
    expect(planned.warnings(servedBy(entryOf(planned, 'plain')))).toEqual([]);
  });
});

describe('a key of the cache, which changes no answer', () => {
  it('keeps no target from answering that takes none, also under routing.strict', () => {
    const made = context([{ name: 'fast', provider: 'groq', api_key: 'k' }]);
    const planned = plan({ options: { promptCacheKey: 'k' }, routing: { strict: true } }, true, made);
    const fast = entryOf(planned, 'fast');
    expect(planned.prepare(fast)).toHaveProperty('open');
    expect(planned.warnings(servedBy(fast))).toMatchObject([{ field: 'options.prompt_cache_key' }]);
  });

  it('is sent to the provider itself, and to no other server that speaks its API', () => {
    const own = { name: 'own', provider: 'openai', api_key: 'k', api: 'chat_completions' } as const;
    const made = context([own, { ...own, name: 'other', base_url: 'http://127.0.0.1:8000/v1', model: 'llama' }]);
    const planned = plan({ options: { promptCacheKey: 'k' } }, true, made);
    for (const name of ['own', 'other']) prepared(planned, entryOf(planned, name)).open(() => undefined);
    expect(made.calls.map(({ wire }) => wire.body['prompt_cache_key'])).toEqual(['k', undefined]);
  });
});

describe('a limit above what a model writes', () => {
  const options = { maxTokens: 100_000 };

  it('is lowered for that model alone, with a warning', () => {
    const made = context();
    const planned = plan({ options }, true, made);
    const [plain, claude] = [entryOf(planned, 'plain'), entryOf(planned, 'claude')];
    for (const entry of [plain, claude]) prepared(planned, entry).open(() => undefined);
    expect(made.calls.map(({ wire }) => wire.body)).toMatchObject([
      { max_completion_tokens: 16_384 },
      { max_tokens: 100_000 },
    ]);
    expect(planned.warnings(servedBy(plain))).toMatchObject([
      { code: WarningCode.PARAMETER_ADJUSTED, field: 'options.max_tokens', target: 'plain' },
    ]);
    expect(planned.warnings(servedBy(claude))).toEqual([]);
  });

  it('refuses the target under routing.strict', () => {
    const planned = plan({ options, routing: { strict: true } });
    expect(planned.prepare(entryOf(planned, 'plain'))).toMatchObject({
      reason: 'UNSUPPORTED_PARAMETER',
      field: 'options.max_tokens',
    });
  });
});

describe('a state that another target made', () => {
  const thought = create(MessageSchema, {
    role: Role.ASSISTANT,
    content: [
      {
        part: { case: 'text', value: 'Hello.' },
        providerState: { target: 'claude', data: new TextEncoder().encode('{}') },
      },
    ],
  });
  const messages = [
    create(MessageSchema, say(Role.USER, 'Hi')),
    thought,
    create(MessageSchema, say(Role.USER, 'And now?')),
  ];

  it('does not keep the others from answering, also under routing.strict, and is named by a warning', () => {
    const planned = plan({ messages, routing: { strict: true } });
    const plain = entryOf(planned, 'plain');
    prepared(planned, plain);
    expect(planned.warnings(servedBy(plain))).toMatchObject([
      { code: WarningCode.PROVIDER_STATE_DROPPED, field: 'messages[1].content[0].provider_state', target: 'plain' },
    ]);
  });
});

describe('routing.max_cost_usd', () => {
  const refusedFor = (maxCostUsd: number, target: string, maxTokens?: number) => {
    const planned = plan({ routing: { maxCostUsd }, options: maxTokens === undefined ? {} : { maxTokens } });
    const made = planned.prepare(entryOf(planned, target));
    return 'open' in made ? undefined : made;
  };

  it('leaves out what would cost more, by the most that may be written', () => {
    // 100 tokens of output at 10 USD a million are 0.001 USD, besides a few of input.
    expect(refusedFor(0.002, 'gpt', 100)).toBeUndefined();
    expect(refusedFor(0.001, 'gpt', 100)).toMatchObject({
      class: 'capability',
      reason: 'COST_LIMIT_EXCEEDED',
      field: 'routing.max_cost_usd',
    });
    expect(refusedFor(0.002, 'gpt')).toMatchObject({ reason: 'COST_LIMIT_EXCEEDED' });
  });

  it('leaves out what has no known price, such as a deployment of any name', () => {
    expect(refusedFor(1_000, 'azure')).toMatchObject({ reason: 'COST_LIMIT_EXCEEDED' });
  });
});

describe('the warning of another model', () => {
  const substituted = (model: string, target: string) => {
    const planned = plan({ model });
    return planned.warnings(servedBy(entryOf(planned, target))).map(({ code, field }) => [code, field]);
  };
  const WARNED = [[WarningCode.MODEL_SUBSTITUTED, 'model']];

  it('says that a target answers with its own', () => {
    expect(substituted('gpt-6-luna', 'claude')).toEqual(WARNED);
    expect(substituted('claude/claude-haiku-5-5', 'gpt')).toEqual(WARNED);
  });

  it('is not there where the model is the requested one, or none was', () => {
    expect(substituted('gpt-6-luna', 'gpt')).toEqual([]);
    expect(substituted('claude/claude-haiku-5-5', 'claude')).toEqual([]);
    expect(substituted('', 'claude')).toEqual([]);
  });

  it('says that another server answers a well-known name with something else, but not of names that are alike', () => {
    const foreign = { name: 'foreign', provider: 'openai', base_url: 'http://127.0.0.1:1/v1', model: 'm' } as const;
    const made = context([...TARGETS, foreign]);
    const served = (asked: string, model: string, target: string) => {
      const serving = { number: 1, target, provider: 'openai', model, requestedModel: asked };
      return plan({}, true, made)
        .warnings(serving)
        .map(({ code, field }) => [code, field]);
    };
    expect(served('gpt-4o', 'tiny.gguf', 'foreign')).toEqual(WARNED);
    expect(served('openai/gpt-4o', 'tiny.gguf', 'foreign')).toEqual(WARNED);
    expect(served('claude-haiku-4-5-20251001', 'qwen3', 'foreign')).toEqual(WARNED);
    for (const model of ['gpt-4o', 'GPT-4o-2024-08-06', 'openai/gpt-4o', 'gpt-4o:extended', '']) {
      expect(served('gpt-4o', model, 'foreign')).toEqual([]);
    }
    expect(served('house-chat', 'tiny.gguf', 'foreign')).toEqual([]);
    // Two models of the catalogue are two models, however alike their names.
    for (const model of ['gpt-4o-mini', 'openai/gpt-4o-mini-2024-07-18', 'gpt-4o-mini:free', 'gpt-4']) {
      expect(served('gpt-4o', model, 'foreign')).toEqual(WARNED);
    }
    expect(served('gpt-5.6', 'gpt-5.6-sol', 'foreign')).toEqual([]);
    // The provider itself knows what its names mean.
    expect(served('gpt-4o', 'gpt-9', 'plain')).toEqual([]);
  });

  it('also says so of a target that chose its model after the chain was made', () => {
    const planned = plan({ model: 'gpt-6-luna' });
    const chosen = { ...entryOf(planned, 'local'), model: 'llama3.2' };
    prepared(planned, chosen);
    expect(planned.warnings(servedBy(chosen))).toMatchObject([
      { code: WarningCode.MODEL_SUBSTITUTED, target: 'local' },
    ]);
  });
});

describe('how the upstream is asked', () => {
  const streamed = (streams: boolean, maxTokens?: number, upstream_mode?: 'AUTO' | 'STREAM' | 'JSON') => {
    const made = context(TARGETS.map((target) => Object.assign({ upstream_mode }, target)));
    const planned = plan({ options: maxTokens === undefined ? {} : { maxTokens } }, streams, made);
    const { timing: limits, open } = prepared(planned, entryOf(planned, 'plain'));
    open(() => undefined);
    const [call] = made.calls;
    expect([call?.stream, call?.wire.body['stream'] === true]).toEqual([limits.streams, limits.streams]);
    return limits.streams;
  };

  it('is a stream, also for a whole answer, but where that is short', () => {
    expect(streamed(true)).toBe(true);
    expect(streamed(true, 10)).toBe(true);
    expect(streamed(false)).toBe(true);
    expect(streamed(false, 257)).toBe(true);
    expect(streamed(false, 256)).toBe(false);
    expect(streamed(false, 256, 'AUTO')).toBe(false);
  });

  it('is what a person has set for the target', () => {
    expect(streamed(true, undefined, 'JSON')).toBe(false);
    expect(streamed(false, undefined, 'JSON')).toBe(false);
    expect(streamed(false, 256, 'STREAM')).toBe(true);
  });
});

describe('the timers of an attempt', () => {
  it('are short where the model speaks at once, and long where it may think, load, or is not known', () => {
    expect(timing('plain', {})).toMatchObject({ firstOutputMs: 12_000, firstOutputAdapts: true, progressMs: 30_000 });
    for (const target of ['gpt', 'azure', 'local/llama3.2']) {
      expect(timing(target, {})).toMatchObject({ firstOutputMs: 180_000, progressMs: 180_000 });
    }
  });

  it('are long where reasoning is asked for, short where it is not wanted', () => {
    const asking = (reasoningEffort: ReasoningEffort) => ({ options: { reasoningEffort } });
    expect(timing('plain', asking(ReasoningEffort.LOW))).toMatchObject({ firstOutputMs: 180_000, progressMs: 180_000 });
    expect(timing('gpt', asking(ReasoningEffort.NONE))).toMatchObject({ firstOutputMs: 12_000, progressMs: 30_000 });
  });

  it('are those that a person has set for the target, and for the first output those of the request', () => {
    expect(timing('patient', {})).toMatchObject({ firstOutputMs: 7_000, firstOutputAdapts: false, progressMs: 9_000 });
    const routing = { firstOutputTimeout: { seconds: 3n, nanos: 0 } };
    expect(timing('patient', { routing })).toMatchObject({ firstOutputMs: 3_000, firstOutputAdapts: false });
  });

  it('leave time to read a long prompt, and to write a whole answer', () => {
    const long = { messages: [say(Role.USER, 'x'.repeat(350_000))] };
    expect(timing('plain', long).promptMs).toBe(10_000);
    expect(timing('plain', {}).promptMs).toBe(0);
    expect(timing('plain', { options: { maxTokens: 200 } }, false)).toMatchObject({ streams: false, answerMs: 20_000 });
  });
});
