import type { ServiceImpl } from '@connectrpc/connect';

import packageJson from '../package.json' with { type: 'json' };
import type { AdminService } from '../gen/understudy/v1/admin_pb.ts';
import type { LlmService } from '../gen/understudy/v1/llm_pb.ts';
import { Accounting } from './accounting.ts';
import type { Config } from './config/config.ts';
import { createConfig } from './config/load.ts';
import type { CreateOptions } from './config/load.ts';
import { reportCall } from './call-report.ts';
import { Cohort } from './core/cohort.ts';
import type { TimerHandle } from './core/ports.ts';
import { DefaultModels } from './default-models.ts';
import { DEFAULT_ENGINE_CONFIG } from './engine/config.ts';
import { Engine } from './engine/engine.ts';
import type { RouteTable } from './engine/route.ts';
import type { TargetSnapshot } from './engine/target-state.ts';
import { KnownModels } from './known-models.ts';
import { ModelLists } from './model-lists.ts';
import { listModels } from './models.ts';
import { planRequest } from './plan.ts';
import { PriceFallback } from './pricing/price-fallback.ts';
import { createPriceTable } from './pricing/price-table.ts';
import { createAdminHandlers } from './server/admin-service.ts';
import type { Backend } from './server/backend.ts';
import { createHandlers } from './server/handlers.ts';
import { createLocalClient } from './server/local.ts';
import type { LocalClient } from './server/local.ts';
import { createSuspensionCheck } from './suspension-check.ts';
import { system as realSystem } from './system.ts';
import type { System } from './system.ts';
import { createCallLog } from './telemetry/log.ts';
import { watchLoad } from './telemetry/load.ts';
import { createMetrics } from './telemetry/metrics.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { loadSdk } from './upstream/sdk.ts';
import { wireTarget } from './wire-target.ts';

export { ConfigError } from './config/problem.ts';

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
  /** Returns what another gateway can go on from. */
  snapshot(): GatewaySnapshot;
  /** Handlers of AdminService, for the admin listener alone. */
  adminHandlers(): ServiceImpl<typeof AdminService>;
  /** Takes nothing new; what is under way goes on, but repeats nothing (engine rule D2). There is no way back. */
  drain(): void;
  /** Destroys what is under way, closes all connections to providers and writes what of the log still waits. */
  close(): Promise<void>;
}

/** What a gateway knows of its targets' circuits and rate limits: plain data in ages, so that it needs no clock (engine rule K10). */
export type GatewaySnapshot = readonly TargetSnapshot[];

/** What {@link createGateway} is told. */
export interface GatewayOptions extends CreateOptions {
  /**
   * What another gateway knew: targets of the same names go on from there, so that a new configuration closes no open circuit
   * and forgets no rate limit. Suspensions are not in it, nor do circuits of models count that the configuration names no more:
   * a new key, credit or model may be the very reason for the change.
   */
  readonly snapshot?: GatewaySnapshot | undefined;
}

/** A gateway in a program that embeds it. */
export interface EmbeddedGateway extends LocalClient {
  /** Returns what another gateway can go on from, such as one with a new configuration. */
  snapshot(): GatewaySnapshot;
  /** Destroys what is under way and closes all connections to providers. */
  close(): Promise<void>;
}

/**
 * Makes a gateway for a TypeScript program, without any server.
 *
 * @param options.config a configuration of the same shape as the file
 * @param options.env names like those of the environment, such as `{ OPENAI_API_KEY: … }`; nothing is read from the process
 * @param options.snapshot what another gateway knew of its targets
 * @throws ConfigError naming every field that is wrong
 */
export function createGateway(options: GatewayOptions = {}, system: System = realSystem): EmbeddedGateway {
  const gateway = wireGateway(createConfig(options), packageJson.version, system, false, options.snapshot);
  return {
    ...createLocalClient(gateway.handlers()),
    snapshot: () => gateway.snapshot(),
    close: () => gateway.close(),
  };
}

/**
 * Wires a gateway: the one page where every part meets. Contacts nobody before the first call.
 *
 * @param reports whether calls are logged to standard output and measured, and refused where this process is overloaded;
 *   default false
 * @param snapshot what another gateway knew; see {@link GatewayOptions.snapshot}
 */
export function wireGateway(
  config: Config,
  version: string,
  system: System,
  reports = false,
  snapshot: GatewaySnapshot = [],
): Gateway {
  const prices = createPriceTable({
    overrides: config.targets.map(({ name, prices: own }) => ({ target: name, prices: own })),
  });
  const accounting = new Accounting(prices, new PriceFallback(() => import('@pydantic/genai-prices')), () =>
    system.wall(),
  );
  const models = new DefaultModels(system);
  const cohort = new Cohort(system);
  const targets = new Map(
    config.targets.map((target) => [
      target.name,
      wireTarget(target, system, cohort, () => metrics?.unknownEvent(target.name, target.provider)),
    ]),
  );
  // A program that has nothing else to do need not wait for them.
  const idleTimers = {
    now: () => system.now(),
    setTimer: (ms: number, fire: () => void) => system.setIdleTimer(ms, fire),
    clearTimer: (handle: TimerHandle) => system.clearTimer(handle),
  };
  const lists = new ModelLists(idleTimers, targets.values());
  const known = new KnownModels(config.targets, models, lists);
  const routeTable: RouteTable = {
    targets: new Map(config.targets.map((target) => [target.name, known.routeTarget(target)])),
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
    { check: createSuspensionCheck(targets), timers: idleTimers },
  );
  engine.restore(snapshot.map((known) => ofNamedModels(known, routeTable)));
  const startedAtMs = system.now();
  const planContext = {
    routeTable,
    targets,
    accounting,
    facts: (target: string, model: string) => known.facts(target, model),
  };
  const backend: Backend = {
    plan: (request, streams) => {
      known.wanted(request.model);
      return planRequest(request, streams, planContext);
    },
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
    models: () => listModels(config.targets, { prices, known, lists }),
    newRequestId: () => system.newId(),
    uptimeMs: () => system.now() - startedAtMs,
    callEnded: (call) => {
      if (log === undefined || metrics === undefined) return;
      // The answers go out first.
      cohort.add(() => {
        const end = reportCall(call);
        log.callEnded(end);
        cohort.add(() => metrics.callEnded(end));
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
    snapshot: () => engine.snapshot(),
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
      engine.drain();
      lists.close();
      await Promise.all([...targets.values()].map(({ upstream }) => upstream.close()));
      load?.close();
      // Reports follow their answers.
      await system.yieldIo();
      log?.flush();
    },
  };
}

/** Leaves behind what was known of models that nobody may ever ask for again. */
function ofNamedModels(known: TargetSnapshot, { targets }: RouteTable): TargetSnapshot {
  const target = targets.get(known.target);
  const isNamed = (model: string): boolean => target?.model === '' || target?.isConfigured(model) === true;
  return { ...known, circuits: known.circuits.filter(({ circuit }) => isNamed(circuit)) };
}
