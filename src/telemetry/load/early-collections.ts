import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import type { Timers } from '../../core/ports.ts';

/** How often it is looked, in milliseconds. */
const LOOK_MS = 500;
/** After so much CPU time of a process all garbage is collected, in milliseconds: at full load after about two and six seconds. */
const AFTER_CPU_MS = [3_000, 8_000] as const;

/**
 * Has V8 collect all garbage twice within the first seconds of load (docs/adr/0052-the-first-collections-come-early.md).
 *
 * @param timers should not keep the process alive
 * @param cpuMs CPU time that this process has used so far, in milliseconds
 * @param collect stops the process for some 30 ms
 * @returns stops it
 */
export function collectEarly(timers: Timers, cpuMs: () => number, collect: () => void): () => void {
  const startMs = cpuMs();
  const left: number[] = [...AFTER_CPU_MS];
  const look = (): void => {
    if (cpuMs() - startMs >= (left[0] ?? Infinity)) {
      left.shift();
      collect();
    }
    timer = left.length === 0 ? undefined : timers.setTimer(LOOK_MS, look);
  };
  let timer: ReturnType<Timers['setTimer']> | undefined = timers.setTimer(LOOK_MS, look);
  return () => {
    if (timer !== undefined) timers.clearTimer(timer);
  };
}

/** Collects all garbage now: what `--expose-gc` gives, which V8 takes at run time for contexts that come after. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  if (typeof collect === 'function') collect();
}
