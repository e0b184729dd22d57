import type { ServiceImpl } from '@connectrpc/connect';

import packageJson from '../package.json' with { type: 'json' };
import type { AdminService } from '../gen/understudy/v1/admin_pb.ts';
import type { LlmService } from '../gen/understudy/v1/llm_pb.ts';
import { Accounting } from './accounting.ts';
import type { Config, TargetConfig } from './config/config.ts';
import { createConfig } from './config/load.ts';
import type { CreateOptions } from './config/load.ts';
import { reportCall } from './call-report.ts';
import { DefaultModels } from './default-models.ts';
import { DEFAULT_ENGINE_CONFIG } from './engine/config.ts';
import { Engine } from './engine/engine.ts';
import type { RouteTable, RouteTarget } from './engine/route.ts';
import { listCatalogue } from './models.ts';
import type { Target } from './plan.ts';
import { planRequest } from './plan.ts';
import { PriceFallback } from './pricing/price-fallback.ts';
import type { PriceTable } from './pricing/price-table.ts';
import { createPriceTable } from './pricing/price-table.ts';
import { adapterFor } from './providers/registry.ts';
import { createAdminHandlers } from './server/admin-service.ts';
import type { Backend, CallEnd } from './server/backend.ts';
import { createHandlers } from './server/handlers.ts';
import { createLocalClient } from './server/local.ts';
import type { LocalClient } from './server/local.ts';
import { system as realSystem } from './system.ts';
import type { System } from './system.ts';
import { createCallLog } from './telemetry/log.ts';
import { watchLoad } from './telemetry/load.ts';
import { createMetrics } from './telemetry/metrics.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { createMockTransport } from './upstream/mock/mock-transport.ts';
import { loadSdk } from './upstream/sdk.ts';
import { createUndiciTransport } from './upstream/undici-transport.ts';
import { createUpstreamTarget } from './upstream/upstream-target.ts';

export { ConfigError } from './config/problem.ts';

/** Seed of the mock's answers: the same calls give the same answers in every process. */
const MOCK_SEED = 1;

/** A gateway without any door. */
export interface Gateway {
  /** Handlers of LlmService, to be mounted on doors. `isAccepting` false refuses new calls while doors drain. */
  handlers(isAccepting?: () => boolean): ServiceImpl<typeof LlmService>;
  readonly backend: Backend;
  /** Loads ahead what the first calls will need; contacts nobody. */
  warmUp(): Promise<void>;
  /** Calls back whenever the availability of a target may have changed. */
  onTargetChange(listener: () => void): void;
  /** Writes all metrics in Prometheus' text format; absent where nothing is measured. */
  readonly metrics: Metrics['render'] | undefined;
  /** Handlers of AdminService, for the admin listener alone. */
  adminHandlers(): ServiceImpl<typeof AdminService>;
  /** Takes nothing new; what is under way goes on, but repeats nothing (engine rule D2). There is no way back. */
  drain(): void;
  /** Destroys what is under way, closes all connections to providers and writes what of the log still waits. */
  close(): Promise<void>;
}

/** A gateway in a program that embeds it. */
export interface EmbeddedGateway extends LocalClient {
  /** Destroys what is under way and closes all connections to providers. */
  close(): Promise<void>;
}

/**
 * Makes a gateway for a TypeScript program, without any server.
 *
 * @param options.config a configuration of the same shape as the file
 * @param options.env names like those of the environment, such as `{ OPENAI_API_KEY: … }`; nothing is read from the process
 * @throws ConfigError naming every field that is wrong
 */
export function createGateway(options: CreateOptions = {}, system: System = realSystem): EmbeddedGateway {
  const gateway = wireGateway(createConfig(options), packageJson.version, system);
  return { ...createLocalClient(gateway.handlers()), close: () => gateway.close() };
}

/**
 * Wires a gateway: the one page where every part meets. Contacts nobody before the first call.
 *
 * @param reports whether calls are logged to standard output and measured, and refused where this process is overloaded;
 *   default false
 */
export function wireGateway(config: Config, version: string, system: System, reports = false): Gateway {
  const prices = createPriceTable({
    overrides: config.targets.map(({ name, prices: own }) => ({ target: name, prices: own })),
  });
  const accounting = new Accounting(prices, new PriceFallback(() => import('@pydantic/genai-prices')), () =>
    system.wall(),
  );
  const models = new DefaultModels(system);
  const targets = new Map(config.targets.map((target) => [target.name, wireTarget(target, system)]));
  const routeTable: RouteTable = {
    targets: new Map(config.targets.map((target) => [target.name, routeTarget(target, prices, models)])),
    routes: new Map(config.routes.map(({ name, entries }) => [name, entries])),
  };
  const listeners: (() => void)[] = [];
  const log = reports ? createCallLog({ wall: () => system.wall() }) : undefined;
  const metrics = reports ? createMetrics({ targets: () => engine.health(), version }) : undefined;
  // An embedding program looks after its own load.
  const load = reports ? watchLoad(system) : undefined;
  const engine = new Engine(
    { ...DEFAULT_ENGINE_CONFIG, circuitBreaker: config.circuitBreaker, retry: config.retry },
    config.targets,
    system,
    {
      targetChanged: () => {
        for (const listener of listeners) listener();
      },
      alert: (target, failure) => log?.alert(target, failure),
    },
    load?.isOverloaded,
  );
  const startedAtMs = system.now();
  const catalogue = listCatalogue(config.targets, prices);
  const ended: CallEnd[] = [];
  const backend: Backend = {
    plan: (request, streams) => planRequest(request, streams, { routeTable, targets, accounting }),
    run: async (call) => {
      const left = metrics?.callStarted();
      try {
        if (call.chain.every(({ model }) => model !== '')) return await engine.run(call);
        return await engine.run(await models.fill(call, targets));
      } finally {
        left?.();
      }
    },
    targets: () => engine.health(),
    costOfTarget: (target) => accounting.costOfTarget(target),
    models: () => catalogue,
    newRequestId: () => system.newId(),
    uptimeMs: () => system.now() - startedAtMs,
    callEnded: (call) => {
      if (log === undefined || metrics === undefined) return;
      ended.push(call);
      if (ended.length > 1) return;
      // The answers go out first.
      void system.yieldIo().then(() => {
        for (const served of ended.splice(0)) {
          const end = reportCall(served);
          log.callEnded(end);
          metrics.callEnded(end);
        }
      });
    },
    version,
  };
  return {
    handlers: (isAccepting) =>
      createHandlers(backend, { random: () => system.random(), ...(isAccepting && { isAccepting }) }),
    backend,
    warmUp: async () => {
      await Promise.all(config.targets.map(({ provider }) => loadSdk(provider)));
    },
    onTargetChange: (listener) => {
      listeners.push(listener);
    },
    metrics: metrics && (() => metrics.render()),
    adminHandlers: () =>
      createAdminHandlers(backend, {
        force: (target, state, circuit) => engine.force(target, state, circuit),
        reset: (target) => engine.reset(target),
        hasModel: (target, model) => {
          const found = routeTable.targets.get(target);
          return found !== undefined && (found.isConfigured(model) || found.has(model));
        },
      }),
    drain: () => {
      engine.drain();
    },
    close: async () => {
      await Promise.all([...targets.values()].map(({ upstream }) => upstream.close()));
      load?.close();
      log?.flush();
    },
  };
}

function wireTarget(config: TargetConfig, system: System): Target {
  const { provider, api = 'chat_completions', baseUrl, apiKey, organization, timeouts } = config;
  const adapter = adapterFor(provider, api, baseUrl);
  const transport = config.mock
    ? createMockTransport({ runtime: system, provider, api, seed: MOCK_SEED })
    : createUndiciTransport({ connectTimeoutMs: timeouts.connectMs });
  const head = { provider, baseUrl, apiKey, organization };
  return { config, adapter, upstream: createUpstreamTarget({ head, adapter, transport, runtime: system }) };
}

function routeTarget(config: TargetConfig, prices: PriceTable, models: DefaultModels): RouteTarget {
  const { name, provider } = config;
  const configured = new Set(config.models);
  const catalogue = new Map(prices.catalogue(provider).map((entry) => [entry.id, entry]));
  return {
    name,
    provider,
    get model() {
      return models.of(config);
    },
    isConfigured: (id) => configured.has(id) || id === models.of(config),
    has: (id) => configured.has(id) || prices.has(provider, id),
    contextWindow: (id) => catalogue.get(id)?.contextWindow,
  };
}
