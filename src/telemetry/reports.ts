import type { LimitStoreFigures } from '../callers/port/limit-store-figures.ts';
import type { CredentialFailure } from '../callers/port/credentials.ts';
import type { Cohort } from '../core/cohort.ts';
import type { System } from '../core/ports.ts';
import type { AttemptRecord } from '../engine/port/call.ts';
import type { LedgerFigures } from '../ledger/port/ledger-figures.ts';
import type { CallEnd } from '../server/port/gateway-port.ts';
import type { StatusParts } from '../server/port/status-parts.ts';
import type { TlsEvent } from '../server/port/tls-options.ts';
import type { TransferFigures } from '../server/port/transfer-figures.ts';
import { memoryBytes, memoryLimitBytes } from './load/memory.ts';
import { watchLoad } from './load/overload.ts';
import { createPeopleFormat } from './logging/line-format.ts';
import { createCallLog, type CallLog } from './logging/log.ts';
import type { LogLevel } from './logging/log-fields.ts';
import type { SpentOf } from './metering/caller-metrics.ts';
import { createMetrics, type Metrics } from './metering/metrics.ts';
import { CallHistory } from './recent/call-history.ts';
import { reportCall } from './report/call-report.ts';

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
  readonly status: Pick<StatusParts, 'history' | 'memory'>;
  readonly load: ReturnType<typeof watchLoad>;
  /** Counts an attempt as soon as it has ended: its call may go on for long. */
  attemptEnded(record: AttemptRecord): void;
  /** Tells of a call's end, once its answer is on its way. */
  callEnded(call: CallEnd): void;
  /** Tells of the transport security of the listeners. */
  tlsHappened(event: TlsEvent): void;
  /** Counts a call whose credentials were refused, and logs it once a minute for each reason. */
  readonly credentialsRefused: (failure: CredentialFailure, peer: string) => void;
}

/** Opens log and metrics, and begins to watch the load of this process. */
export function openReports(parts: ReportParts): Reports {
  const { version, system, cohort, transfers, style, logged, spentOf, limitStore, ledger } = parts;
  const format = style.text ? createPeopleFormat(style.colors) : undefined;
  const { level, goodShare: share } = logged;
  const goodCalls = { share, random: () => system.random() };
  const log = createCallLog({ wall: () => system.wall(), now: () => system.now(), format, level, goodCalls });
  const metrics = createMetrics({ version, transfers, spentOf, limitStore, ledger });
  const history = new CallHistory(system, spentOf);
  return {
    log,
    metrics,
    status: { history, memory: () => ({ usedBytes: memoryBytes(), limitBytes: memoryLimitBytes() }) },
    load: watchLoad(system),
    attemptEnded: (record) => history.attemptEnded(record),
    tlsHappened: (event) => {
      log.tlsHappened(event);
      metrics.tlsHappened(event);
    },
    credentialsRefused: ({ credentials }, peer) => {
      metrics.credentialsRefused(credentials);
      log.credentialsRefused(credentials, peer);
    },
    callEnded: (call) => {
      // The answers go out first; then all log lines of a turn, then all figures.
      cohort.add(() => {
        const end = reportCall(call);
        log.callEnded(end);
        cohort.add(() => {
          metrics.callEnded(end);
          history.callEnded(end);
        });
      });
    },
  };
}
