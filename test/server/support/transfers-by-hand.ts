import type { TransferLimits } from '../../../src/server/port/limits.ts';
import { createTransfers, type Transfers } from '../../../src/server/wire/transfers.ts';

const MIB = 1024 * 1024;

/** Bounds whose watch looks when a test says so. */
export interface TransfersByHand {
  readonly transfers: Transfers;
  /** Moves the clock on, and has the watch look. */
  look(ms: number): void;
}

/** Makes bounds: messages of 1 MiB, 8 MiB in all, a minute for each transfer. */
export function transfersByHand(changes: Partial<TransferLimits> = {}, mostBytes = 8 * MIB): TransfersByHand {
  // Whole milliseconds: sums of others are not exact.
  let nowMs = Math.floor(performance.now());
  let fire: (() => void) | undefined;
  const clock = {
    now: () => nowMs,
    setIdleTimer: (_ms: number, run: () => void) => {
      fire = run;
      return 0;
    },
  };
  return {
    transfers: createTransfers(clock, { maxMessageBytes: MIB, transferMs: 60_000, ...changes }, mostBytes),
    look: (ms) => {
      nowMs += ms;
      fire?.();
    },
  };
}
