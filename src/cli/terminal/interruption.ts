import { EXIT, type ExitStatus } from './exit-status.ts';
import type { Terminal } from './terminal.ts';

/** Within this time a second signal is the first once more: a terminal and npm, say, both pass Ctrl-C on. In milliseconds. */
const SAME_SIGNAL_MS = 500;

/** What ends a command from outside. */
export interface Interruption {
  /** Aborts with the first signal, or where the output cannot be written or nobody reads it any more. */
  readonly signal: AbortSignal;
  /** With what the process ends then; undefined before. */
  readonly status: ExitStatus | undefined;
  /** Ends the command as a signal would. */
  interrupt(status: ExitStatus): void;
}

/**
 * Listens for the signals that end a command, and for readers that leave. The first one aborts what is under way; another one, half a
 * second later or more, ends the process at once.
 */
export function watchInterruption(terminal: Terminal, now: () => number): Interruption {
  const { stdout, stderr } = terminal;
  const controller = new AbortController();
  let status: ExitStatus | undefined;
  let firstAtMs: number | undefined;
  const interrupt = (by: ExitStatus): void => {
    if (firstAtMs !== undefined && now() - firstAtMs > SAME_SIGNAL_MS) process.exit(by);
    firstAtMs ??= now();
    status ??= by;
    controller.abort();
  };
  process.on('SIGINT', () => interrupt(EXIT.interrupted));
  process.on('SIGTERM', () => interrupt(EXIT.terminated));
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return interrupt(EXIT.outputClosed);
    if (status === undefined)
      terminal.tell(`understudy: the output cannot be written (${error.code ?? error.message})`);
    interrupt(EXIT.fault);
  });
  // What cannot be told is lost; what was asked for goes on.
  stderr.on('error', () => {});
  return {
    signal: controller.signal,
    get status() {
      return status;
    },
    interrupt,
  };
}
