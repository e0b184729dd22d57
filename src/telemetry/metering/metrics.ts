import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';

import type { LimitStoreFigures } from '../../callers/port/limit-store-figures.ts';
import type { CredentialFault } from '../../callers/port/credentials.ts';
import type { TargetHealth } from '../../engine/port/call.ts';
import type { EngineLoad } from '../../engine/port/engine-load.ts';
import { registerAdmissionMetrics } from './admission-metrics.ts';
import { createAttemptRecorder } from './attempt-metrics.ts';
import type { CallReport } from '../report/call-report.ts';
import { createCallRecorder } from './call-metrics.ts';
import { createCallMeter } from './server-call-metrics.ts';
import { registerExportMetrics } from './export-metrics.ts';
import { OPEN_METRICS_TYPE } from '../exposition/open-metrics.ts';
import { readRegistry } from '../exposition/read-registry.ts';
import type { ExportFigures } from '../report/export-figures.ts';
import type { ReadMetric } from '../report/read-metric.ts';
import type { CallMeter } from '../../server/port/observed/call-meter.ts';
import { type CallerRecorder, createCallerRecorder, type SpentOf } from './caller-metrics.ts';
import { type ConfigRecorder, createConfigRecorder } from './config-metrics.ts';
import type { LedgerFigures } from '../../ledger/port/ledger-figures.ts';
import { registerLedgerMetrics } from './ledger-metrics.ts';
import { registerLimitStore } from './limit-store-metrics.ts';
import { registerTargetGauges } from './target-metrics.ts';
import { countDescriptors } from '../load/open-descriptors.ts';
import type { TransferFigures } from '../../server/port/transfer-figures.ts';
import { createTlsRecorder } from './tls-metrics.ts';
import type { TlsEvent } from '../../server/port/tls-options.ts';
import { registerTransferMetrics } from './transfer-metrics.ts';
import { writeMetrics } from '../exposition/written-metrics.ts';

/** Options of {@link createMetrics}. */
export interface MetricsOptions {
  /** The version that `understudy_build_info` shows; without it there is none. */
  readonly version?: string | undefined;
  /**
   * Whether CPU, memory, garbage collection and the delay of the event loop are measured too. They belong to the process,
   * so that one instance in it should. Default: true.
   */
  readonly processMetrics?: boolean | undefined;
  /** Awaited now and then while metrics are written, so that calls go first. Default: nothing is waited for. */
  readonly pause?: (() => Promise<void>) | undefined;
  /** What requests and answers hold at the doors; without it none of that is shown. */
  readonly transfers?: TransferFigures | undefined;
  /** What accounts have spent; without it what is left of budgets is not shown. */
  readonly spentOf?: SpentOf | undefined;
  /** What the ledger does; without it none of that is shown. */
  readonly ledger?: LedgerFigures | undefined;
  /** The store of limits that gateways share; without it none of it is shown. */
  readonly limitStore?: LimitStoreFigures | undefined;
  /** What becomes of exports by OTLP; without it none of it is shown. */
  readonly exports?: ExportFigures | undefined;
}

/** Counts calls and shows the counts to Prometheus. Every label has a bounded set of values; see docs/metrics.md. */
export interface Metrics extends ConfigRecorder, Pick<CallerRecorder, 'accountsHold'> {
  /** Says that a call is under way; the returned function says, once, that it is no more. */
  callStarted(): () => void;
  /** Records a call with its attempts. Never throws. */
  callEnded(end: CallReport): void;
  /** Counts something in an answer of a target that its adapter does not know. */
  unknownEvent(target: string, provider: string): void;
  /** Notes which certificates are in use, and counts clients that are refused. */
  tlsHappened(event: TlsEvent): void;
  /** Counts a call whose credentials were refused. */
  credentialsRefused(reason: CredentialFault): void;
  /** Counts the calls of the gRPC door. */
  readonly calls: CallMeter;
  /** Reads all metrics, given the state of all targets, and what the engine has to do. */
  read(targets: readonly TargetHealth[], load?: EngineLoad): Promise<readonly ReadMetric[]>;
  /** Writes the same in Prometheus' text format 0.0.4, or in OpenMetrics 1.0. */
  render(
    targets: readonly TargetHealth[],
    load?: EngineLoad,
    isOpenMetrics?: boolean,
  ): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** Makes metrics with a registry of their own. */
export function createMetrics(options: MetricsOptions): Metrics {
  const { version, processMetrics = true, pause = () => Promise.resolve() } = options;
  const registry = new Registry();
  if (processMetrics) {
    collectDefaultMetrics({ register: registry });
    countDescriptors(registry);
  }
  if (options.transfers !== undefined) registerTransferMetrics(registry, options.transfers);
  if (options.ledger !== undefined) registerLedgerMetrics(registry, options.ledger);
  if (options.limitStore !== undefined) registerLimitStore(registry, options.limitStore);
  if (options.exports !== undefined) registerExportMetrics(registry, options.exports);
  let shown: readonly TargetHealth[] = [];
  registerTargetGauges(registry, () => shown);
  let load: EngineLoad | undefined;
  registerAdmissionMetrics(registry, () => load);
  const recordCall = createCallRecorder(registry);
  const recordAttempt = createAttemptRecorder(registry);
  const callers = createCallerRecorder(registry, options.spentOf);
  const errors = new Counter({
    name: 'understudy_metrics_errors_total',
    help: 'Calls that could not be recorded whole because of a fault in the gateway.',
    registers: [registry],
  });
  const unknownEvents = new Counter({
    name: 'understudy_unknown_events_total',
    help: 'Events and items of answers that the gateway does not know and has ignored.',
    labelNames: ['target', 'provider'],
    registers: [registry],
  });
  const refusedCredentials = new Counter({
    name: 'understudy_credentials_refused_total',
    help: 'Calls whose credentials were refused, by reason.',
    labelNames: ['reason'],
    registers: [registry],
  });
  if (version !== undefined) registerBuildInfo(registry, version);
  const see = (targets: readonly TargetHealth[], nowLoad: EngineLoad | undefined): void => {
    shown = targets;
    load = nowLoad;
  };
  return {
    calls: createCallMeter(registry),
    callStarted: createInFlightCount(registry),
    callEnded: (end) => {
      try {
        recordCall(end);
        callers.record(end);
        for (const attempt of end.attempts) recordAttempt(attempt, end.trace?.traceId);
      } catch {
        errors.inc();
      }
    },
    unknownEvent: (target, provider) => {
      unknownEvents.inc({ target, provider });
    },
    tlsHappened: createTlsRecorder(registry),
    ...createConfigRecorder(registry),
    accountsHold: (accounts) => callers.accountsHold(accounts),
    credentialsRefused: (reason) => {
      refusedCredentials.inc({ reason });
    },
    read: (targets, nowLoad) => {
      see(targets, nowLoad);
      return readRegistry(registry);
    },
    render: async (targets, nowLoad, isOpenMetrics = false) => {
      see(targets, nowLoad);
      const contentType = isOpenMetrics ? OPEN_METRICS_TYPE : registry.contentType;
      return { contentType, body: await writeMetrics(registry, isOpenMetrics, pause) };
    },
  };
}

function createInFlightCount(registry: Registry): () => () => void {
  let inFlight = 0;
  const gauge: Gauge = new Gauge({
    name: 'understudy_calls_in_flight',
    help: 'Calls under way.',
    registers: [registry],
    collect: () => {
      gauge.set(inFlight);
    },
  });
  return () => {
    inFlight += 1;
    let ended = false;
    return () => {
      if (!ended) inFlight -= 1;
      ended = true;
    };
  };
}

function registerBuildInfo(registry: Registry, version: string): void {
  const gauge = new Gauge({
    name: 'understudy_build_info',
    help: 'Always 1; the label says which version runs.',
    labelNames: ['version'],
    registers: [registry],
  });
  gauge.set({ version }, 1);
}
