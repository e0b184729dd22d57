import type { LimitStoreFigures } from '../callers/port/limit-store-figures.ts';
import type { CredentialFailure } from '../callers/port/credentials.ts';
import { backgroundTimers } from '../core/background-timers.ts';
import type { Cohort } from '../core/cohort.ts';
import type { System } from '../core/ports.ts';
import type { AttemptRecord } from '../engine/port/call.ts';
import type { LedgerFigures } from '../ledger/port/ledger-figures.ts';
import type { CallEnd, GatewayPort } from '../server/port/gateway-port.ts';
import type { ConfigEvent } from '../config/port/config-event.ts';
import type { RefusedConfig, StatusParts } from '../server/port/shown/status-parts.ts';
import type { TlsEvent } from '../server/port/tls-options.ts';
import type { TransferFigures } from '../server/port/transfer-figures.ts';
import { memoryBytes, memoryLimitBytes } from './load/memory.ts';
import { RecentLoad, processCounters } from './load/recent-load.ts';
import { watchLoad } from './load/overload.ts';
import { createPeopleFormat } from './logging/line-format.ts';
import { createCallLog, type CallLog } from './logging/log.ts';
import type { LogLevel } from './logging/log-fields.ts';
import type { SpentOf } from './metering/caller-metrics.ts';
import { createMetrics, type Metrics } from './metering/metrics.ts';
import type { OpenExport } from './otlp/open-export.ts';
import { type OtelEnvironment, readOtelSettings } from './otlp/otel-environment.ts';
import { CallHistory } from './recent/call-history.ts';
import { reportCall } from './report/call-report.ts';
import { noExports, type Signal } from './report/export-figures.ts';
import type { ReadMetric } from './report/read-metric.ts';

/** How the log is written. */
export interface LogStyle {
  /** Whether as text for people; otherwise as JSON. */
  readonly text: boolean;
  /** Whether text has colours. */
  readonly colors: boolean;
}

/** What reports are made with. */
export interface ReportParts {
  /** Of this build, as the metrics tell it. */
  readonly version: string;
  readonly system: System;
  readonly cohort: Cohort;
  readonly transfers: TransferFigures;
  readonly style: LogStyle;
  /** What of the log is written: the least level, and which share of the calls that ended well, 0 to 1. */
  readonly logged: { readonly level: LogLevel; readonly goodShare: number };
  /** Whether and how OpenTelemetry's SDK exports; absent: it does not. */
  readonly env?: OtelEnvironment | undefined;
  /** What accounts have spent; absent where this process does not count it. */
  readonly spentOf?: SpentOf | undefined;
  /** What the ledger does; absent where there is none. */
  readonly ledger?: LedgerFigures | undefined;
  /** The store of limits that gateways share; absent without one. */
  readonly limitStore?: LimitStoreFigures | undefined;
}

/** What is told of calls: to people, to Prometheus, and to the engine of the load of this process. */
export interface Reports {
  readonly log: CallLog;
  readonly metrics: Metrics;
  /** What the status page shows of this process. */
  readonly status: Pick<StatusParts, 'history' | 'memory' | 'refusedConfig'>;
  readonly load: ReturnType<typeof watchLoad>;
  /** Counts an attempt as soon as it has ended: its call may go on for long. */
  attemptEnded(record: AttemptRecord): void;
  /** What this process has had to do of late, for who balances between several. */
  readonly recent: RecentLoad;
  /** Tells of a call's end, once its answer is on its way. */
  callEnded(call: CallEnd): void;
  /** Begins to trace a call; absent where the environment asks for no traces. */
  readonly beginTrace: GatewayPort['beginTrace'];
  /** Begins to export, where the environment asks for that. What is loaded for it is loaded here alone. */
  open(read: () => Promise<readonly ReadMetric[]>): Promise<void>;
  /** Writes the lines that wait, and sends what is to be exported; resolves when that was taken, which may be never. */
  close(): Promise<void>;
  /** Tells of the transport security of the listeners. */
  tlsHappened(event: TlsEvent): void;
  /** Tells what has become of the configuration. */
  configHappened(event: ConfigEvent): void;
  /** Counts a call whose credentials were refused, and logs it once a minute for each reason. */
  readonly credentialsRefused: (failure: CredentialFailure, peer: string) => void;
}

/** Opens log and metrics, and begins to watch the load of this process. */
export function openReports(parts: ReportParts): Reports {
  const { version, system, cohort, transfers, style, logged, spentOf, limitStore, ledger, env = {} } = parts;
  const settings = readOtelSettings(env);
  const exports = settings.traces || settings.metrics ? noExports() : undefined;
  let exported: OpenExport | undefined;
  const format = style.text ? createPeopleFormat(style.colors) : undefined;
  const random = (): number => system.random();
  const log = createCallLog({ wall: () => system.wall(), now: () => system.now(), random, format, ...logged });
  const refused = (): number => transfers.refused.bytes_in_flight + transfers.refused.turn_wait;
  const recent = new RecentLoad(backgroundTimers(system), processCounters(refused));
  const pause = (): Promise<void> => system.yieldIo();
  const metrics = createMetrics({ version, pause, transfers, spentOf, limitStore, ledger, exports });
  const history = new CallHistory(system, spentOf);
  let refusedConfig: RefusedConfig | undefined;
  const memory = () => ({ usedBytes: memoryBytes(), limitBytes: memoryLimitBytes() });
  return {
    log,
    metrics,
    status: { history, memory, refusedConfig: () => refusedConfig },
    load: watchLoad(system),
    recent,
    attemptEnded: (record) => history.attemptEnded(record),
    tlsHappened: (event) => {
      log.tlsHappened(event);
      metrics.tlsHappened(event);
    },
    configHappened: (event) => {
      const atMs = system.wall();
      log.configHappened(event);
      metrics.configHappened(event, atMs);
      refusedConfig = event.kind === 'refused' ? { atMs, problems: event.problems } : undefined;
    },
    credentialsRefused: (failure, peer) => {
      metrics.credentialsRefused(failure.credentials);
      log.credentialsRefused(failure, peer);
    },
    callEnded: (call) => {
      recent.callEnded(call);
      // The answers go out first; then all log lines of a turn, then all figures.
      const endedAtMs = call.trace?.isSampled === true ? system.now() : undefined;
      cohort.add(() => {
        const end = reportCall(call, endedAtMs === undefined ? undefined : system.wall());
        log.callEnded(end);
        cohort.add(() => {
          metrics.callEnded(end);
          history.callEnded(end);
        });
        if (endedAtMs !== undefined) cohort.add(() => exported?.tracing?.ended(end, call, endedAtMs));
      });
    },
    beginTrace: settings.traces && ((method, head) => exported?.tracing?.begin(method, head)),
    open: async (read) => {
      for (const warning of settings.warnings) log.warn(warning);
      if (exports === undefined) return;
      const { openExport } = await import('./otlp/open-export.ts');
      const failed = (signal: Signal, problem: string): void => log.exportFailed(signal, problem);
      const signals = (['traces', 'metrics'] as const).filter((signal) => settings[signal] !== undefined);
      log.info(`exporting ${signals.join(' and ')} by OTLP`);
      exported = openExport(settings, { runtime: system, version, read, figures: exports, failed });
    },
    close: async () => {
      log.flush();
      await Promise.all([log.written(), exported?.close()]);
    },
  };
}
