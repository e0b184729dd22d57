import type { System } from '../../src/core/ports.ts';
import type { VirtualRuntime } from './virtual-runtime.ts';
import { createVirtualRuntime } from './virtual-runtime.ts';

/** A {@link System} for a whole gateway on real sockets, whose time passes only when a test says so. */
export interface VirtualSystem extends System, Pick<VirtualRuntime, 'advance' | 'step'> {
  /** How often a timer was set or cleared so far: where it stands still, nothing happens. */
  readonly timerChanges: number;
  /** Resolves as soon as a timer of such a length, in milliseconds, is running. */
  timerOf(leastMs: number, mostMs?: number): Promise<void>;
}

/** Makes a system for tests. Sockets need no time: await what they bring before time is moved on. */
export function createVirtualSystem(): VirtualSystem {
  // Deadlines of gRPC are instants of the wall clock.
  const runtime = createVirtualRuntime({ wallMs: Date.now() });
  const running = new Map<object | number, number>();
  const waiting = new Set<() => void>();
  let [ids, changes] = [0, 0];
  return {
    ...runtime,
    get timerChanges() {
      return changes;
    },
    setTimer: (ms, fire) => {
      changes += 1;
      const handle = runtime.setTimer(ms, () => {
        running.delete(handle);
        fire();
      });
      running.set(handle, ms);
      for (const look of waiting) look();
      return handle;
    },
    clearTimer: (handle) => {
      changes += 1;
      running.delete(handle);
      runtime.clearTimer(handle);
    },
    timerOf: (leastMs, mostMs = leastMs) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (![...running.values()].some((ms) => ms >= leastMs && ms <= mostMs)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    newId: () => {
      ids += 1;
      return `id-${ids}`;
    },
    afterInput: (run) => void setImmediate(run),
    busyMs: () => runtime.now(),
    setIdleTimer: (ms, fire) => runtime.setTimer(ms, fire),
    exitWithin: () => undefined,
  };
}
