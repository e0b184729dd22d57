import { totalmem } from 'node:os';
import { constrainedMemory, memoryUsage, resourceUsage } from 'node:process';
import { getHeapStatistics } from 'node:v8';

/** Returns the memory that this process may use, in bytes: what its container allows (cgroup), else all of the machine. */
export function memoryLimitBytes(): number {
  const machine = totalmem();
  const container = constrainedMemory();
  // Without a limit it is 0, or a number larger than any memory.
  return container > 0 && container < machine ? container : machine;
}

let lastBytes: number | undefined;

/**
 * Returns the memory that this process takes, in bytes: its resident set, with all that is outside of V8's heap. Linux has a file of it:
 * a process without descriptors cannot read that, and goes by what it read last, or by the most that it ever took.
 */
export function memoryBytes(): number {
  try {
    lastBytes = memoryUsage.rss();
  } catch {
    lastBytes ??= resourceUsage().maxRSS * 1024;
  }
  return lastBytes;
}

/** Returns the limit of V8's heap, in bytes. */
export function heapLimitBytes(): number {
  return getHeapStatistics().heap_size_limit;
}
