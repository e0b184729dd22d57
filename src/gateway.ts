import { HeldToLimits } from './callers/limits/held-to-limits.ts';
import { InProcessLimits } from './callers/memory/in-process-limits.ts';
import { hasBudgets, readSpent } from './callers/memory/spent-before.ts';
import { SharedLimits } from './callers/redis/shared-limits.ts';
import { type OpenDirectory, openCallerDirectory } from './callers/credentials/caller-directory.ts';
import { DefaultModels } from './catalogue/default-models.ts';
import { KnownModels } from './catalogue/known-models.ts';
import { listModels } from './catalogue/list-models.ts';
import { TargetLists } from './catalogue/target-lists.ts';
import { parseKeysFile } from './config/file/keys-file.ts';
import type { Config } from './config/port/resolved.ts';
import { keysFileRules } from './config/resolve-callers.ts';
import { Cohort } from './core/cohort.ts';
import { backgroundTimers } from './core/background-timers.ts';
import type { System } from './core/ports.ts';
import { Engine } from './engine/engine.ts';
import { DEFAULT_ENGINE_CONFIG } from './engine/port/config.ts';
import type { RouteTable } from './engine/route/route.ts';
import { openLedger } from './ledger/open-ledger.ts';
import { Accounting } from './pricing/accounting.ts';
import { PriceFallback } from './pricing/price-fallback.ts';
import { createPriceTable } from './pricing/price-table.ts';
import { AllowedChains } from './request-plan/allowed-chain.ts';
import { type PlanContext, planRequest } from './request-plan/plan.ts';
import { createAdminHandlers } from './server/admin/operator-service.ts';
import { createHandlers } from './server/handlers/rpc-handlers.ts';
import { within } from './server/http/within.ts';
import type { GatewayPort } from './server/port/gateway-port.ts';
import type { GatewaySnapshot, WiredGateway } from './server/handlers/wired-gateway.ts';
import { defaultBytesInFlight } from './server/wire/byte-budget.ts';
import { createTransfers } from './server/wire/transfers.ts';
import { createFreeCheck } from './targets/free-calls.ts';
import { wireTarget } from './targets/wire-target.ts';
import { watchDescriptors } from './telemetry/load/descriptor-watch.ts';
import { heapLimitBytes, memoryLimitBytes } from './telemetry/load/memory.ts';
import type { SpentOf } from './telemetry/metering/caller-metrics.ts';
import { usageRecords } from './telemetry/report/usage-records.ts';
import { type LogStyle, openReports } from './telemetry/reports.ts';
import { loadSdk } from './upstream/head/sdk.ts';
import { isOutOfDescriptors } from './upstream/network/descriptors.ts';

/** How long the reader of the log, and who telemetry is exported to, may take for the last of it, in milliseconds. */
const LAST_WORDS_MS = 1_000;

/** How long a start waits for the store of limits, in milliseconds. */
const STORE_REACH_MS = 1_000;

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
  readonly reports?: boolean | LogStyle;
  /** The environment, which OpenTelemetry's exports are set up from; absent: nothing is exported. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What another gateway knew of its targets. */
  readonly snapshot?: GatewaySnapshot | undefined;
}

/** Wires a gateway: the one page where every part meets. Contacts nobody before the first call. */
export function wireGateway(parts: GatewayParts): WiredGateway {
  const { config, version, system, reports = false, env, snapshot = [] } = parts;
  const cohort = new Cohort(system);
  const idle = backgroundTimers(system);

  // What requests and answers may hold at the doors.
  const { maxMessageBytes, maxBytesInFlight, transferTimeoutMs } = config.server.limits;
  const bytesInFlight = maxBytesInFlight ?? defaultBytesInFlight(memoryLimitBytes(), heapLimitBytes(), maxMessageBytes);
  const transfers = createTransfers(system, { maxMessageBytes, transferMs: transferTimeoutMs }, bytesInFlight);

  // What callers do and spend.
  const ownLimits = new InProcessLimits(system);
  const sharedLimits =
    config.callers &&
    config.limits &&
    new SharedLimits({
      config: config.limits,
      system,
      cohort,
      meanwhile: ownLimits,
      told: (message) => log?.warn(message),
    });
  const limitStore = sharedLimits ?? ownLimits;
  const ledger = openLedger(config.ledger, system, (event) => log?.ledgerHappened(event));

  // What is told of calls: to people, to Prometheus, and to the engine of the load of this process.
  const style = reports === true ? { text: false, colors: false } : reports;
  const spentOf: SpentOf = (account) => limitStore.spentOf(account);
  const figures = { spentOf, limitStore: sharedLimits?.figures, ledger: ledger.figures };
  const reported = { version, system, cohort, transfers: transfers.budget, ...figures };
  const told = style === false ? undefined : openReports({ ...reported, style, logged: config.log, env });
  const { log, metrics, load } = told ?? {};
  const stopWatching = log && watchDescriptors(idle, isOutOfDescriptors, () => log.outOfDescriptors());

  // What calls cost.
  const overrides = config.targets.map(({ name, prices }) => ({ target: name, prices }));
  const prices = createPriceTable({ overrides });
  const priceFallback = new PriceFallback(() => import('@pydantic/genai-prices'));
  const limits = new HeldToLimits(limitStore, system, () => priceFallback.ready());
  const accounting = new Accounting(prices, priceFallback, () => system.wall(), config.targets);

  // Whom calls go to, and what is known of their models.
  const targets = new Map(
    config.targets.map((target) => {
      const onUnknown = (): void => metrics?.unknownEvent(target.name, target.provider);
      return [target.name, wireTarget(target, system, cohort, onUnknown)];
    }),
  );
  const defaults = new DefaultModels(system);
  const lists = new TargetLists(idle, targets.values());
  const known = new KnownModels(config.targets, defaults, lists);
  const routeTable: RouteTable = {
    targets: new Map(config.targets.map((target) => [target.name, known.routeTarget(target)])),
    routes: new Map(config.routes.map(({ name, entries }) => [name, entries])),
  };

  // Who is asked, when, and how often.
  const { circuitBreaker, retry, admission } = config;
  const targetListeners: (() => void)[] = [];
  const engine = new Engine({
    config: { ...DEFAULT_ENGINE_CONFIG, circuitBreaker, retry, admission },
    targets: config.targets,
    runtime: system,
    observer: {
      targetChanged: () => {
        for (const listener of targetListeners) listener();
      },
      attemptEnded: (record) => told?.attemptEnded(record),
      alert: (target, failure) => log?.alert(target, failure),
    },
    isOverloaded: load?.check,
    checks: { check: createFreeCheck(targets), timers: idle },
  });
  engine.restore(snapshot.map((target) => known.ofNamedModels(target)));

  // What the doors see of all this.
  const startedAtMs = system.now();
  const facts: PlanContext['facts'] = (target, model) => known.facts(target, model);
  const chains = new AllowedChains(routeTable);
  const planContext: PlanContext = { chains, targets, accounting, facts };
  const port: GatewayPort = {
    version,
    beginTrace: told?.beginTrace,
    plan: (request, streams, use, trace) => {
      known.readListsFor(request.model);
      return planRequest(request, streams, planContext, use, trace);
    },
    allowedTargets: (use) => chains.targetsOf(use),
    limits,
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
    isUnauthenticated: config.server.isUnauthenticated,
    callEnded: (call) => {
      ledger.record((callId) => usageRecords(call, callId, (attempt) => accounting.listNanoUsd(attempt)));
      told?.callEnded(call);
    },
  };

  // Who calls. A program that embeds the gateway has no doors, and nobody to ask.
  let directory: OpenDirectory | undefined;
  const authentication: WiredGateway['authentication'] = () => {
    const { callers } = config;
    if (callers === undefined) return undefined;
    const readKeys = (text: string) => parseKeysFile(text, keysFileRules(callers));
    const say = { info: (message: string) => log?.info(message), warn: (message: string) => log?.warn(message) };
    directory ??= openCallerDirectory({ config: callers, system, fetch, readKeys, ...say });
    const refused = told?.credentialsRefused ?? (() => undefined);
    return { directory, includesHealth: config.server.authenticateHealth, refused };
  };

  const random = (): number => system.random();
  return {
    port,
    authentication,
    load: () => engine.load,
    loadFigures: told && (() => told.recent.figures(() => engine.load)),
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
    status: told && { gateway: port, load: () => engine.load, ...told.status, ...figures },
    usage: { queries: ledger.queries, wall: () => system.wall(), newRequestId: () => port.newRequestId(), random },
    metrics: metrics && ((isOpenMetrics) => metrics.render(engine.health(), engine.load, isOpenMetrics)),
    callMeter: metrics?.calls,
    open: async () => {
      if (metrics !== undefined) await told?.open(() => metrics.read(engine.health(), engine.load));
      await ledger.ready();
      // The first calls would be refused, where it is there but not yet reached.
      if (sharedLimits !== undefined) await within(system, STORE_REACH_MS, sharedLimits.reached);
      if (hasBudgets(config.callers) && sharedLimits === undefined)
        ownLimits.restore(await readSpent((sinceMs) => ledger.spentSince(sinceMs), system.wall()));
    },
    warmUp: async () => {
      await Promise.all(config.targets.map(({ provider }) => loadSdk(provider)));
      await Promise.all([...targets.values()].map(({ upstream }) => upstream.prepare()));
    },
    reportFault: (thrown) => log?.fault(thrown),
    onTargetChange: (listener) => void targetListeners.push(listener),
    snapshot: () => engine.snapshot(),
    tlsHappened: (event) => told?.tlsHappened(event),
    note: (message, level = 'info') => log?.[level](message),
    repeatNothing: () => engine.repeatNothing(),
    drain: () => engine.drain(),
    close: async () => {
      engine.drain();
      directory?.close();
      lists.close();
      await Promise.all([...targets.values()].map(({ upstream }) => upstream.close()));
      await limitStore.close();
      load?.close();
      told?.recent.close();
      stopWatching?.();
      await ledger.close();
      // What was just answered is reported in the next turn.
      await system.yieldIo();
      if (told !== undefined) await within(system, LAST_WORDS_MS, told.close());
    },
  };
}
