import { HeldToLimits } from './callers/limits/held-to-limits.ts';
import { InProcessLimits } from './callers/memory/in-process-limits.ts';
import { countsIn, newBudgets, readSpent } from './callers/memory/spent-before.ts';
import { SharedLimits } from './callers/redis/shared-limits.ts';
import { accountsOf } from './callers/named-callers.ts';
import { LiveDirectory } from './callers/credentials/live-directory.ts';
import { DefaultModels } from './catalogue/default-models.ts';
import { parseKeysFile } from './config/file/keys-file.ts';
import type { Config } from './config/port/resolved.ts';
import { keysFileRules } from './config/resolve-callers.ts';
import { Cohort } from './core/cohort.ts';
import { backgroundTimers } from './core/background-timers.ts';
import type { System } from './core/ports.ts';
import { Engine } from './engine/engine.ts';
import { openLedger } from './ledger/open-ledger.ts';
import { PriceFallback } from './pricing/price-fallback.ts';
import { createAdminHandlers } from './server/admin/operator-service.ts';
import { createHandlers } from './server/handlers/rpc-handlers.ts';
import { within } from './server/http/within.ts';
import type { GatewaySnapshot, WiredGateway } from './server/handlers/wired-gateway.ts';
import { defaultBytesInFlight } from './server/wire/byte-budget.ts';
import { createTransfers } from './server/wire/transfers.ts';
import { createFreeCheck } from './targets/free-calls.ts';
import { cpuTimeMs } from './telemetry/load/cpu-time.ts';
import { watchDescriptors } from './telemetry/load/descriptor-watch.ts';
import { trimHeap } from './telemetry/load/heap-trim.ts';
import { returnMemory } from './telemetry/load/memory-return.ts';
import { heapLimitBytes, memoryLimitBytes } from './telemetry/load/memory.ts';
import type { SpentOf } from './telemetry/metering/caller-metrics.ts';
import { usageRecords } from './telemetry/report/usage-records.ts';
import { type LogStyle, openReports } from './telemetry/reports.ts';
import { loadSdk } from './upstream/head/sdk.ts';
import { isOutOfDescriptors } from './upstream/network/descriptors.ts';
import { openPort } from './wiring/live-port.ts';
import { wireConfig, type WiredConfig } from './wiring/wired-config.ts';

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
  const stopReturning = told && returnMemory(idle, cpuTimeMs, trimHeap);

  // Whom calls go to, what is known of their models, and what they cost: until the next configuration holds.
  const priceFallback = new PriceFallback(() => import('@pydantic/genai-prices'));
  const limits = new HeldToLimits(limitStore, system, () => priceFallback.ready());
  const defaults = new DefaultModels(system);
  const unknownEvent = (target: string, provider: string): void => metrics?.unknownEvent(target, provider);
  const shared = { system, idle, cohort, priceFallback, defaults, unknownEvent };
  let wired = wireConfig(config, shared);
  metrics?.pricesHold(wired.prices);

  // Who is asked, when, and how often.
  const targetListeners: (() => void)[] = [];
  const engine = new Engine({
    config: wired.engine,
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
    checks: { check: createFreeCheck({ get: (target) => wired.targets.get(target) }), timers: idle },
  });
  engine.restore(snapshot.map((target) => wired.known.ofNamedModels(target)));

  // What the doors see of all this. A call keeps to what held when it began.
  const { port, hold } = openPort(
    {
      version,
      system,
      engine,
      defaults,
      limits,
      beginTrace: told?.beginTrace,
      callStarted: () => metrics?.callStarted(),
      callEnded: (call, { accounting }) => {
        ledger.record((callId) => usageRecords(call, callId, (attempt) => accounting.listNanoUsd(attempt)));
        told?.callEnded(call);
      },
    },
    wired,
  );

  // Who calls. A program that embeds the gateway has no doors, and nobody to ask.
  const say = { info: (message: string) => log?.info(message), warn: (message: string) => log?.warn(message) };
  const directory = new LiveDirectory(config.callers, {
    system,
    fetch,
    readKeys: (text, callers) => parseKeysFile(text, keysFileRules(callers)),
    ...say,
  });
  const refused = told?.credentialsRefused ?? (() => undefined);
  const authentication: WiredGateway['authentication'] = () => {
    const known = directory.now();
    return known && { directory: known, includesHealth: wired.config.server.authenticateHealth, refused };
  };
  const readBudgets = async (budgets: ReadonlySet<string>): Promise<void> => {
    if (budgets.size === 0 || sharedLimits !== undefined) return;
    const spent = await readSpent((sinceMs) => ledger.spentSince(sinceMs), system.wall());
    ownLimits.restore(spent.filter(countsIn(budgets)));
  };
  const retired = new Set<WiredConfig>();

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
          hasModel: (target, model) => wired.known.hasCircuit(target, model) || engine.hasCircuit(target, model),
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
      await readBudgets(newBudgets(config.callers));
    },
    warmUp: async () => {
      await Promise.all(config.targets.map(({ provider }) => loadSdk(provider)));
      await wired.prepare();
      if (newBudgets(config.callers).size > 0) await priceFallback.ready();
    },
    reportFault: (thrown) => log?.fault(thrown),
    onTargetChange: (listener) => void targetListeners.push(listener),
    configure: async (next) => {
      await Promise.all(next.targets.map(({ provider }) => loadSdk(provider)));
      await readBudgets(newBudgets(next.callers, wired.config.callers));
      if (next.callers !== undefined && next.limits !== undefined && sharedLimits === undefined)
        log?.warn('limits.store is used from the next start on; until then callers are counted in memory');
      const before = wired;
      wired = wireConfig(next, shared, before);
      for (const { name } of next.targets) if (wired.keptOf(name) === 'NOTHING') defaults.forget(name);
      metrics?.pricesHold(wired.prices);
      log?.configure(next.log);
      directory.configure(next.callers);
      metrics?.accountsHold(accountsOf(next.callers));
      hold(wired, engine.configure(wired.engine, next.targets, wired.keptOf));
      void wired.prepare();
      retired.add(before);
      void before.retire(wired).then(() => retired.delete(before));
    },
    snapshot: () => engine.snapshot(),
    tlsHappened: (event) => told?.tlsHappened(event),
    configHappened: (event) => told?.configHappened(event),
    note: (message, level = 'info') => log?.[level](message),
    repeatNothing: () => engine.repeatNothing(),
    drain: () => engine.drain(),
    close: async () => {
      engine.drain();
      directory.close();
      await Promise.all([wired, ...retired].map((each) => each.close()));
      await limitStore.close();
      load?.close();
      told?.recent.close();
      stopWatching?.();
      stopReturning?.();
      await ledger.close();
      // What was just answered is reported in the next turn.
      await system.yieldIo();
      if (told !== undefined) await within(system, LAST_WORDS_MS, told.close());
    },
  };
}
