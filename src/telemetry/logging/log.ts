import { stdout } from 'node:process';

import type { CallReport } from '../report/call-report.ts';
import type { Signal } from '../report/export-figures.ts';
import { createAlertLimit } from './alert-limit.ts';
import { faultFields } from './fault-origin.ts';
import { allWritten, createLineOutput } from './line-output.ts';
import { alertFields, type AlertFailure, callFields, levelOf, type LogLevel } from './log-fields.ts';
import { logLine } from './log-line.ts';
import { operatorFields } from './operator-fields.ts';
import { configLines } from './config-lines.ts';
import { tlsLine } from './tls-lines.ts';
import { ledgerLine } from './ledger-lines.ts';
import type { LedgerEvent } from '../../ledger/port/ledger-figures.ts';
import type { CredentialFailure } from '../../callers/port/credentials.ts';
import type { ConfigEvent } from '../../config/port/config-event.ts';
import type { OperatorAct } from '../../server/port/operator-act.ts';
import type { TlsEvent } from '../../server/port/tls-options.ts';

/** Ended calls that may wait for their lines; there are so many only where `defer` comes late. */
const MAX_WAITING_CALLS = 1_000;

const RANKS = { info: 0, warn: 1, error: 2 } as const satisfies Record<LogLevel, number>;

const DROPPED = 'log lines were dropped: standard output is read too slowly';
const LINES_DROPPED = 'understudy.lines_dropped';
const HELD_BACK = 'understudy.alerts_held_back';
const CREDENTIALS_REFUSED = 'credentials refused';
const EXPORT_FAILED = 'telemetry cannot be exported by OTLP: it is lost';
const OUT_OF_DESCRIPTORS = 'no file descriptor is left: connections are refused';

/** Options of {@link createCallLog}. */
export interface CallLogOptions {
  /** Takes whole lines with their line breaks. Default: standard output; lines that its reader is too slow for are dropped. */
  readonly write?: ((lines: string) => void) | undefined;
  /** Rewrites each line, such as for people. Default: JSON, as it is. */
  readonly format?: ((line: string) => string) | undefined;
  /** The least level that is written; what operators do, and what becomes of the configuration, is written at any. Default: `info`. */
  readonly level?: LogLevel | undefined;
  /** Share of the calls that ended well that have a line, 0 to 1. Default: all. */
  readonly goodShare?: number | undefined;
  /** Chance, 0 to 1, that chooses them. Default: none is chosen where not all have a line. */
  readonly random?: (() => number) | undefined;
  /** Runs work once the answer is on its way, such as in a later turn of the event loop. Default: after this turn's code. */
  readonly defer?: ((work: () => void) => void) | undefined;
  /** Milliseconds since the epoch, for the stamp. */
  readonly wall: () => number;
  /** Monotonic milliseconds, by which alerts are kept apart. Default: `wall`. */
  readonly now?: (() => number) | undefined;
}

/**
 * Writes the log: JSON, a line for each call, besides start-up and alerts. No line has a prompt, an answer, a key, a URL or
 * a provider's message in it. No method throws.
 */
export interface CallLog {
  /** Writes the line of a call, later. */
  callEnded(end: CallReport): void;
  /** Writes a sentence of ours, such as at start-up. */
  info(message: string): void;
  /** Writes a warning of ours. */
  warn(message: string): void;
  /**
   * Tells the operator that a target needs a hand, of the same thing once a minute. Of the failure only what {@link AlertFailure}
   * names is written.
   */
  alert(target: string, failure: AlertFailure): void;
  /** Tells the operator, once a minute, that this process has no file descriptor left. */
  outOfDescriptors(): void;
  /** Tells of calls whose credentials are refused, once a minute for each reason and fault of a token, with the address of one of them. */
  credentialsRefused(failure: Pick<CredentialFailure, 'credentials' | 'token'>, peer: string): void;
  /** Writes what an operator has done, or was refused. */
  operatorActed(act: OperatorAct): void;
  /** Tells of the ledger; once a minute of the same trouble. */
  ledgerHappened(event: LedgerEvent): void;
  /** Tells, once a minute of the same, that telemetry cannot be exported. */
  exportFailed(signal: Signal, problem: string): void;
  /** Tells of certificates that have changed, and once a minute of clients that are refused for the same reason. */
  tlsHappened(event: TlsEvent): void;
  /** Tells what has become of the configuration. */
  configHappened(event: ConfigEvent): void;
  /**
   * Tells of a fault of the program that nobody has caught, of the same one once a minute: its class and where it came from, never
   * its message.
   */
  fault(thrown: unknown): void;
  /** Says what of the log is written from now on: the least level, and the share of the calls that ended well. */
  configure(next: { readonly level: LogLevel; readonly goodShare: number }): void;
  /** Writes the lines that still wait for their turn. For the end of the process. */
  flush(): void;
  /** Resolves when standard output has taken all lines; while its reader reads nothing, it does not. */
  written(): Promise<void>;
}

/** Opens the log. */
export function createCallLog(options: CallLogOptions): CallLog {
  const { defer = queueMicrotask, random = () => 1, wall, now = wall, format } = options;
  let { level: least = 'info', goodShare = 1 } = options;
  // One write for all lines of a turn: each is a system call.
  let lines = '';
  const add = (level: LogLevel, message: string, fields: Fields): void => {
    const line = logLine(level, wall(), fields, message);
    lines += format === undefined ? line : format(line);
  };
  const write = options.write ?? createLineOutput(stdout, (count) => tell('warn', DROPPED, { [LINES_DROPPED]: count }));
  const writeLines = (): void => {
    if (lines === '') return;
    const written = lines;
    lines = '';
    harmlessly(() => write(written));
  };
  const isWritten = (level: LogLevel): boolean => RANKS[level] >= RANKS[least];
  const tellAlways = (level: LogLevel, message: string, fields?: Fields): void => {
    harmlessly(() => add(level, message, fields ?? {}));
    writeLines();
  };
  const tell: typeof tellAlways = (level, ...line) => {
    if (isWritten(level)) tellAlways(level, ...line);
  };
  const mayAlert = createAlertLimit(now);
  const alert = (level: LogLevel, message: string, fields: Fields): void => {
    const heldBack = mayAlert([message, ...Object.values(fields)].join(' '));
    if (heldBack !== undefined) tell(level, message, heldBack === 0 ? fields : { ...fields, [HELD_BACK]: heldBack });
  };
  const outOfDescriptors = (): void => {
    harmlessly(() => alert('warn', OUT_OF_DESCRIPTORS, {}));
  };
  const waiting: CallReport[] = [];
  const drain = (): void => {
    for (const end of waiting.splice(0)) {
      harmlessly(() => add(levelOf(end), 'call ended', callFields(end, isGood(end) ? goodShare : undefined)));
    }
    writeLines();
  };
  const later = (): void => {
    try {
      defer(drain);
    } catch {
      drain();
    }
  };
  return {
    callEnded: (end) => {
      if (!isWritten(levelOf(end))) return;
      if (goodShare < 1 && isGood(end) && random() >= goodShare) return;
      waiting.push(end);
      if (waiting.length >= MAX_WAITING_CALLS) drain();
      else if (waiting.length === 1) later();
    },
    info: (message) => tell('info', message),
    warn: (message) => tell('warn', message),
    alert: (target, failure) => {
      harmlessly(() => {
        // Of this every target tells, and none is to blame.
        if (failure.class === 'local_refusal') return outOfDescriptors();
        alert('warn', 'target needs attention', alertFields(target, failure));
      });
    },
    outOfDescriptors,
    credentialsRefused: ({ credentials, token }, peer) => {
      const heldBack = mayAlert(`${CREDENTIALS_REFUSED} ${credentials} ${token ?? ''}`);
      if (heldBack === undefined) return;
      const fields = {
        'understudy.credentials': credentials,
        ...(token !== undefined && { 'understudy.token_fault': token }),
        'network.peer.address': peer,
      };
      tell('warn', CREDENTIALS_REFUSED, heldBack === 0 ? fields : { ...fields, [HELD_BACK]: heldBack });
    },
    operatorActed: (act) => {
      harmlessly(() => tellAlways('info', 'operator acted', operatorFields(act)));
    },
    ledgerHappened: (event) => {
      const { isAlert, level, message, fields } = ledgerLine(event);
      harmlessly(() => (isAlert ? alert : tell)(level, message, fields));
    },
    exportFailed: (signal, problem) => {
      harmlessly(() => alert('warn', EXPORT_FAILED, { 'understudy.signal': signal, 'error.type': problem }));
    },
    tlsHappened: (event) => {
      const line = tlsLine(event);
      if (line !== undefined) harmlessly(() => (line.isAlert ? alert : tell)(line.level, line.message, line.fields));
    },
    configHappened: (event) => {
      harmlessly(() => {
        for (const { level, message, fields } of configLines(event)) tellAlways(level, message, fields);
      });
    },
    fault: (thrown) => {
      harmlessly(() => alert('error', 'uncaught fault of the gateway', faultFields(thrown)));
    },
    configure: (next) => {
      least = next.level;
      goodShare = next.goodShare;
    },
    flush: drain,
    written: () => (options.write === undefined ? allWritten(stdout) : Promise.resolve()),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function isGood({ outcome }: CallReport): boolean {
  return outcome.reason === undefined;
}

/** The log must never be the reason why a call fails. */
function harmlessly(work: () => void): void {
  try {
    work();
  } catch {
    // A line is lost.
  }
}
