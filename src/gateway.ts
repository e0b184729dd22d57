import type { ServiceImpl } from '@connectrpc/connect';

import type { AdminService } from '../gen/understudy/v1/admin_pb.ts';
import type { LlmService } from '../gen/understudy/v1/llm_pb.ts';
import { DefaultModels } from './catalogue/default-models.ts';
import { KnownModels } from './catalogue/known-models.ts';
import { listModels } from './catalogue/list-models.ts';
import { TargetLists } from './catalogue/target-lists.ts';
import type { Config } from './config/port/resolved.ts';
import { Cohort } from './core/cohort.ts';
import type { System, Timers } from './core/ports.ts';
import { Engine } from './engine/engine.ts';
import { DEFAULT_ENGINE_CONFIG } from './engine/port/config.ts';
import type { EngineLoad } from './engine/port/engine-load.ts';
import type { RouteTable } from './engine/route/route.ts';
import type { TargetSnapshot } from './engine/target/state.ts';
import { Accounting } from './pricing/accounting.ts';
import { PriceFallback } from './pricing/price-fallback.ts';
import { createPriceTable } from './pricing/price-table.ts';
import type { PlanContext } from './request-plan/plan.ts';
import { planRequest } from './request-plan/plan.ts';
import { createAdminHandlers } from './server/admin/operator-service.ts';
import { createHandlers } from './server/handlers/rpc-handlers.ts';
import { within } from './server/http/within.ts';
import type { GatewayPort } from './server/port/gateway-port.ts';
import { defaultBytesInFlight } from './server/wire/byte-budget.ts';
import { createTransfers } from './server/wire/transfers.ts';
import type { Transfers } from './server/wire/transfers.ts';
import { createSuspensionCheck } from './targets/suspension-check.ts';
import { wireTarget } from './targets/wire-target.ts';
import { reportCall } from './telemetry/report/call-report.ts';
import { createCallLog } from './telemetry/logging/log.ts';
import { watchDescriptors } from './telemetry/load/descriptor-watch.ts';
import { createMetrics } from './telemetry/metering/metrics.ts';
import type { Metrics } from './telemetry/metering/metrics.ts';
import { heapLimitBytes, memoryLimitBytes } from './telemetry/load/memory.ts';
import { watchLoad } from './telemetry/load/overload.ts';
import { loadSdk } from './upstream/head/sdk.ts';
import { isOutOfDescriptors } from './upstream/network/descriptors.ts';

/** How long the reader of the log may take to read its end, in milliseconds. */
const LOG_READ_MS = 500;

/** A gateway without any door. */
export interface Gateway {
  /** Handlers of LlmService, for a program that calls them itself. */
  handlers(): ServiceImpl<typeof LlmService>;
  /** Handlers of LlmService, to be mounted on doors. `isAccepting` false refuses new calls while doors drain. */
  doorHandlers(isAccepting: () => boolean): ServiceImpl<typeof LlmService>;
  /** Handlers of AdminService, for the admin listener alone. */
  adminHandlers(): ServiceImpl<typeof AdminService>;
  readonly port: GatewayPort;
  /** How much there is to do. */
  load(): EngineLoad;
  /** What holds requests and answers at the doors in bounds. */
  readonly transfers: Transfers;
  /** Writes all metrics in Prometheus' text format; absent where nothing is measured. */
  readonly metrics: (() => ReturnType<Metrics['render']>) | undefined;
  /** Loads ahead what the first calls will need; contacts nobody. */
  warmUp(): Promise<void>;
  /** Logs a fault that nobody has caught: its class and where it came from. */
  reportFault(thrown: unknown): void;
  /** Calls back whenever the availability of a target may have changed. */
  onTargetChange(listener: () => void): void;
  /** Returns what another gateway can go on from. */
  snapshot(): GatewaySnapshot;
  /** Writes a sentence of ours to the log, where there is one. */
  note(message: string): void;
  /** Repeats nothing any more, while new calls are still taken (engine rule D2). There is no way back. */
  repeatNothing(): void;
  /** Takes nothing new; what is under way goes on, but repeats nothing (engine rule D2). There is no way back. */
  drain(): void;
  /**
   * Destroys what is under way, closes all connections to providers and writes what of the log still waits. A reader of the log
   * that reads nothing holds it up by half a second.
   */
  close(): Promise<void>;
}

/** What a gateway knows of its targets' circuits and rate limits: plain data in ages, so that it needs no clock (engine rule K10). */
export type GatewaySnapshot = readonly TargetSnapshot[];

/** What a gateway is wired from. */
export interface GatewayParts {
  readonly config: Config;
  /** Of this build, as Health and the metrics tell it. */
  readonly version: string;
  readonly system: System;
  /**
   * Whether calls are logged to standard output and measured, and refused where this process is overloaded; default false: an
   * embedding program looks after its own output and load.
   */
  readonly reports?: boolean;
  /** What another gateway knew of its targets. */
  readonly snapshot?: GatewaySnapshot | undefined;
}

/** Wires a gateway: the one page where every part meets. Contacts nobody before the first call. */
export function wireGateway({ config, version, system, reports = false, snapshot = [] }: GatewayParts): Gateway {
  const cohort = new Cohort(system);
  // For work in the background: a program that has nothing else to do may end without waiting for these timers.
  const backgroundTimers: Timers = {
    now: () => system.now(),
    setTimer: (ms, fire) => system.setIdleTimer(ms, fire),
    clearTimer: (handle) => {
      system.clearTimer(handle);
    },
  };

  // What requests and answers may hold at the doors.
  const { maxMessageBytes, maxBytesInFlight, transferTimeoutMs } = config.server.limits;
  const bytesInFlight = maxBytesInFlight ?? defaultBytesInFlight(memoryLimitBytes(), heapLimitBytes(), maxMessageBytes);
  const transfers = createTransfers(system, { maxMessageBytes, transferMs: transferTimeoutMs }, bytesInFlight);

  // What is told of calls: to people, to Prometheus, and to the engine of the load of this process.
  const log = reports ? createCallLog({ wall: () => system.wall(), now: () => system.now() }) : undefined;
  const metrics = reports ? createMetrics({ version, transfers: transfers.budget }) : undefined;
  const load = reports ? watchLoad(system) : undefined;
  const stopWatching = log && watchDescriptors(backgroundTimers, isOutOfDescriptors, () => log.outOfDescriptors());

  // What calls cost.
  const overrides = config.targets.map(({ name, prices }) => ({ target: name, prices }));
  const prices = createPriceTable({ overrides });
  const priceFallback = new PriceFallback(() => import('@pydantic/genai-prices'));
  const accounting = new Accounting(prices, priceFallback, () => system.wall(), config.targets);

  // Whom calls go to, and what is known of their models.
  const targets = new Map(
    config.targets.map((target) => {
      const onUnknown = (): void => metrics?.unknownEvent(target.name, target.provider);
      return [target.name, wireTarget(target, system, cohort, onUnknown)];
    }),
  );
  const defaults = new DefaultModels(system);
  const lists = new TargetLists(backgroundTimers, targets.values());
  const known = new KnownModels(config.targets, defaults, lists);
  const routeTable: RouteTable = {
    targets: new Map(config.targets.map((target) => [target.name, known.routeTarget(target)])),
    routes: new Map(config.routes.map(({ name, entries }) => [name, entries])),
  };

  // Who is asked, when, and how often.
  const targetListeners: (() => void)[] = [];
  const engine = new Engine({
    config: {
      ...DEFAULT_ENGINE_CONFIG,
      circuitBreaker: config.circuitBreaker,
      retry: config.retry,
      admission: config.admission,
    },
    targets: config.targets,
    runtime: system,
    observer: {
      targetChanged: () => {
        for (const listener of targetListeners) listener();
      },
      alert: (target, failure) => log?.alert(target, failure),
    },
    isOverloaded: load?.check,
    checks: { check: createSuspensionCheck(targets), timers: backgroundTimers },
  });
  engine.restore(snapshot.map((target) => known.ofNamedModels(target)));

  // What the doors see of all this.
  const startedAtMs = system.now();
  const facts: PlanContext['facts'] = (target, model) => known.facts(target, model);
  const planContext: PlanContext = { routeTable, targets, accounting, facts };
  const port: GatewayPort = {
    version,
    plan: (request, streams) => {
      known.readListsFor(request.model);
      return planRequest(request, streams, planContext);
    },
    run: async (call) => {
      const ended = metrics?.callStarted();
      try {
        // Most calls have all their models, and need not wait a turn of the event loop for them.
        const filled = defaults.fill(call, targets);
        return await engine.run(filled instanceof Promise ? await filled : filled);
      } finally {
        ended?.();
      }
    },
    targets: () => engine.health(),
    costOfTarget: (target) => accounting.costOfTarget(target),
    models: () => listModels(config.targets, { prices, known, lists }),
    newRequestId: () => system.newId(),
    uptimeMs: () => system.now() - startedAtMs,
    callEnded: (call) => {
      if (log === undefined || metrics === undefined) return;
      // The answers go out first; then all log lines of a turn, then all figures.
      cohort.add(() => {
        const end = reportCall(call);
        log.callEnded(end);
        cohort.add(() => metrics.callEnded(end));
      });
    },
  };

  const random = (): number => system.random();
  return {
    port,
    load: () => engine.load,
    transfers,
    handlers: () => createHandlers(port, { random }),
    doorHandlers: (isAccepting) => createHandlers(port, { random, isAccepting, maxMessageBytes }),
    adminHandlers: () =>
      createAdminHandlers({
        gateway: port,
        operator: {
          force: (target, state, circuit) => engine.force(target, state, circuit),
          reset: (target) => engine.reset(target),
          hasModel: (target, model) => known.hasCircuit(target, model) || engine.hasCircuit(target, model),
        },
        acted: (act) => log?.operatorActed(act),
      }),
    metrics: metrics && (() => metrics.render(engine.health(), engine.load)),
    warmUp: async () => {
      await Promise.all(config.targets.map(({ provider }) => loadSdk(provider)));
    },
    reportFault: (thrown) => {
      log?.fault(thrown);
    },
    onTargetChange: (listener) => {
      targetListeners.push(listener);
    },
    snapshot: () => engine.snapshot(),
    note: (message) => {
      log?.info(message);
    },
    repeatNothing: () => {
      engine.repeatNothing();
    },
    drain: () => {
      engine.drain();
    },
    close: async () => {
      engine.drain();
      lists.close();
      await Promise.all([...targets.values()].map(({ upstream }) => upstream.close()));
      load?.close();
      stopWatching?.();
      // What was just answered is reported in the next turn.
      await system.yieldIo();
      if (log === undefined) return;
      log.flush();
      await within(system, LOG_READ_MS, log.written());
    },
  };
}
