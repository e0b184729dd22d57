import { stdout } from 'node:process';

import { pino } from 'pino';

import type { CallEnd } from './call-end.ts';
import { createLineOutput } from './line-output.ts';
import { alertFields, type AlertFailure, callFields, levelOf } from './log-fields.ts';

/** Ended calls that may wait for their lines; there are so many only where `defer` comes late. */
const MAX_WAITING_CALLS = 1_000;

/** Options of {@link createCallLog}. */
export interface CallLogOptions {
  /** Takes one line with its line break. Default: standard output; lines that its reader is too slow for are dropped. */
  readonly write?: ((line: string) => void) | undefined;
  /** The least level that is written. Default: `info`, a line for every call. */
  readonly level?: 'info' | 'warn' | 'error' | 'silent' | undefined;
  /** Runs work once the answer is on its way, such as in a later turn of the event loop. Default: after this turn's code. */
  readonly defer?: ((work: () => void) => void) | undefined;
  /** Milliseconds since the epoch, for the stamp. Default: pino's own clock. */
  readonly wall?: (() => number) | undefined;
}

/**
 * Writes the log: JSON, a line for each call, besides start-up and alerts. No line has a prompt, an answer, a key, a URL or
 * a provider's message in it. No method throws.
 */
export interface CallLog {
  /** Writes the line of a call, later. */
  callEnded(end: CallEnd): void;
  /** Writes a sentence of ours, such as at start-up. */
  info(message: string): void;
  /** Writes a warning of ours. */
  warn(message: string): void;
  /** Tells the operator that a target needs a hand. Of the failure only what {@link AlertFailure} names is written. */
  alert(target: string, failure: AlertFailure): void;
  /** Writes the lines that still wait for their turn. For the end of the process. */
  flush(): void;
}

/** Opens the log. */
export function createCallLog(options: CallLogOptions = {}): CallLog {
  const { write, level = 'info', defer = queueMicrotask, wall } = options;
  const dropped = (lines: number): void => {
    logger.warn({ 'understudy.lines_dropped': lines }, 'log lines were dropped: standard output is read too slowly');
  };
  const logger = pino(
    {
      level,
      base: null,
      formatters: { level: (label) => ({ level: label }) },
      ...(wall && { timestamp: () => `,"time":${wall()}` }),
    },
    write === undefined ? createLineOutput(stdout, dropped) : { write },
  );
  const waiting: CallEnd[] = [];
  const drain = (): void => {
    for (const end of waiting.splice(0)) {
      harmlessly(() => {
        const level = levelOf(end);
        if (logger.isLevelEnabled(level)) logger[level](callFields(end), 'call ended');
      });
    }
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
      if (level === 'silent') return;
      waiting.push(end);
      if (waiting.length >= MAX_WAITING_CALLS) drain();
      else if (waiting.length === 1) later();
    },
    info: (message) => {
      harmlessly(() => logger.info(message));
    },
    warn: (message) => {
      harmlessly(() => logger.warn(message));
    },
    alert: (target, failure) => {
      harmlessly(() => logger.warn(alertFields(target, failure), 'target needs attention'));
    },
    flush: drain,
  };
}

/** The log must never be the reason why a call fails. */
function harmlessly(work: () => void): void {
  try {
    work();
  } catch {
    // A line is lost.
  }
}
