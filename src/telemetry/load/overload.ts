import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

import type { Runtime } from '../../core/ports.ts';
import { memoryBytes, memoryLimitBytes } from './memory.ts';

/** Above any, nothing new is taken (engine rule A3): share of the heap's limit and of the memory in use, and milliseconds of lag. */
const MOST_HEAP_SHARE = 0.9;
const MOST_MEMORY_SHARE = 0.9;
const MOST_LAG_MS = 500;
/** A reading holds for so many milliseconds. */
const SAMPLE_MS = 500;

/** What load is read from. */
export interface LoadSource {
  /** Returns how much of the heap's limit is in use, 0 to 1. */
  heapShare(): number;
  /** Returns how much of the memory that it may have the process takes, outside of the heap too, 0 to 1. */
  memoryShare(): number;
  /** Returns the 99th percentile of the event loop's lag since the last figure, in milliseconds; undefined where none is ready. */
  lagMs(): number | undefined;
}

/** Watches whether the process has more to do than it can. */
export interface LoadWatch {
  /** Reads the load, at most twice a second, and returns whether nothing new should be taken. */
  readonly check: () => boolean;
  /** Stops measuring. */
  close(): void;
}

/**
 * Judges load by its readings: a full heap or memory counts at once, a slow event loop where two readings in a row say so, since one
 * long garbage collection or the loading of a module is no overload.
 */
export function createLoadWatch(runtime: Pick<Runtime, 'now'>, source: LoadSource): LoadWatch['check'] {
  let readAtMs = Number.NEGATIVE_INFINITY;
  let slowReadings = 0;
  let isOverloaded = false;
  return () => {
    const now = runtime.now();
    if (now - readAtMs < SAMPLE_MS) return isOverloaded;
    readAtMs = now;
    const lagMs = source.lagMs();
    if (lagMs !== undefined) slowReadings = lagMs > MOST_LAG_MS ? slowReadings + 1 : 0;
    const isFull = source.heapShare() > MOST_HEAP_SHARE || source.memoryShare() > MOST_MEMORY_SHARE;
    isOverloaded = isFull || slowReadings >= 2;
    return isOverloaded;
  };
}

/** Watches this process. The measuring keeps it neither busy nor alive. */
export function watchLoad(runtime: Pick<Runtime, 'now'>): LoadWatch {
  const memoryLimit = memoryLimitBytes();
  const delay = monitorEventLoopDelay();
  delay.enable();
  const check = createLoadWatch(runtime, {
    heapShare: () => {
      const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
      return used / limit;
    },
    memoryShare: () => memoryBytes() / memoryLimit,
    lagMs: () => {
      // After a reset the first turn of the loop only sets the clock; a loop that hardly turns has no figure yet.
      if (delay.count === 0) return undefined;
      const lagMs = delay.percentile(99) / 1e6;
      delay.reset();
      return lagMs;
    },
  });
  return { check, close: () => void delay.disable() };
}
