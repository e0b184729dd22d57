import { availableParallelism } from 'node:os';
import { performance } from 'node:perf_hooks';

import type { StatusName } from '../../core/failure.ts';
import type { Timers } from '../../core/ports.ts';
import type { EngineLoad } from '../../engine/port/engine-load.ts';
import type { CallEnd } from '../../server/port/gateway-port.ts';
import type { LoadFigures } from '../../server/port/load-figures.ts';
import { cpuTimeMs } from './cpu-time.ts';
import { memoryBytes, memoryLimitBytes } from './memory.ts';

/** How often the counters are read, in milliseconds, and for how long a reading counts. */
const MARK_MS = 1_000;
const MOST_MARKS = 10;
/** Statuses of calls that another process might have answered. */
const ERRORS: ReadonlySet<StatusName> = new Set(['UNAVAILABLE', 'INTERNAL', 'ABORTED', 'DEADLINE_EXCEEDED']);

/** Counters that only rise, and what the process takes now. */
export interface LoadCounters {
  /** Milliseconds in which the event loop has worked, and in which it has waited. */
  loop(): { readonly active: number; readonly idle: number };
  /** Milliseconds of all cores that the process may use, so that a second in which it uses all is 1,000. */
  cpuMs(): number;
  /** Share of the memory, 0 to 1. */
  memoryShare(): number;
  /** Calls that were refused before anything of them was seen. */
  refused(): number;
}

interface Mark {
  readonly atMs: number;
  readonly activeMs: number;
  readonly idleMs: number;
  readonly cpuMs: number;
  readonly calls: number;
  readonly errors: number;
}

/** What a process has had to do over the last ten seconds, whoever asks, and whenever. */
export class RecentLoad {
  readonly #timers: Timers;
  readonly #counters: LoadCounters;
  readonly #marks: Mark[] = [];
  #timer: object | number;
  #calls = 0;
  #errors = 0;
  #figures: LoadFigures | undefined;

  /** @param timers should not keep the process alive */
  constructor(timers: Timers, counters: LoadCounters) {
    this.#timers = timers;
    this.#counters = counters;
    this.#marks.push(this.#mark());
    this.#timer = this.#next();
  }

  /** Counts a call that has ended. */
  callEnded({ result }: Pick<CallEnd, 'result'>): void {
    this.#calls += 1;
    if (!result.ok && result.failure.reason !== 'SLOW_READER' && ERRORS.has(result.failure.status)) this.#errors += 1;
  }

  /** Returns the figures, the same object within a second, once there are calls. */
  figures(engineLoad: () => Pick<EngineLoad, 'active' | 'maxActive'>): LoadFigures {
    if (this.#figures !== undefined && (this.#figures.callsPerSecond > 0 || this.#calls === 0)) return this.#figures;
    const { active, maxActive } = engineLoad();
    const now = this.#mark();
    const [from = now] = this.#marks;
    const elapsedMs = now.atMs - from.atMs;
    const activeMs = now.activeMs - from.activeMs;
    const perSecond = (count: number): number => (elapsedMs > 0 ? (count * 1_000) / elapsedMs : 0);
    this.#figures = {
      loopShare: share(activeMs, activeMs + now.idleMs - from.idleMs),
      slotsShare: share(active, maxActive),
      cpuShare: elapsedMs > 0 ? (now.cpuMs - from.cpuMs) / elapsedMs : 0,
      memoryShare: Math.min(1, this.#counters.memoryShare()),
      callsPerSecond: perSecond(now.calls - from.calls),
      errorsPerSecond: perSecond(now.errors - from.errors),
    };
    return this.#figures;
  }

  /** Stops reading. */
  close(): void {
    this.#timers.clearTimer(this.#timer);
  }

  #next(): object | number {
    return this.#timers.setTimer(MARK_MS, () => {
      this.#timer = this.#next();
      this.#marks.push(this.#mark());
      if (this.#marks.length > MOST_MARKS) this.#marks.shift();
      this.#figures = undefined;
    });
  }

  #mark(): Mark {
    const { active, idle } = this.#counters.loop();
    const refused = this.#counters.refused();
    return {
      atMs: this.#timers.now(),
      activeMs: active,
      idleMs: idle,
      cpuMs: this.#counters.cpuMs(),
      calls: this.#calls + refused,
      errors: this.#errors + refused,
    };
  }
}

function share(part: number, whole: number): number {
  return whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0;
}

/**
 * Returns the counters of this process.
 *
 * @param refused counts calls that were refused before anything of them was seen
 */
export function processCounters(refused: () => number): LoadCounters {
  const limitBytes = memoryLimitBytes();
  const cores = availableParallelism();
  return {
    loop: () => performance.eventLoopUtilization(),
    cpuMs: () => cpuTimeMs() / cores,
    memoryShare: () => memoryBytes() / limitBytes,
    refused,
  };
}
