import type { Runtime, TimerHandle } from '../../src/core/ports.ts';

/** A {@link Runtime} whose time passes only when a test says so. */
export interface VirtualRuntime extends Runtime {
  /** Lets `ms` milliseconds pass: timers fire in the order of their times, and microtasks run out before and after each. */
  advance(ms: number): Promise<void>;
  /**
   * Lets time pass until no timer is left, and returns the milliseconds that it took. Rejects where a timer would still be
   * running after `limitMs` (default: one hour).
   */
  runUntilIdle(limitMs?: number): Promise<number>;
  /** Lets time pass to the next timer and fires it; false where none is running. */
  step(): Promise<boolean>;
  /** Runs microtasks and pending turns of {@link Runtime.yieldIo} out; no time passes. */
  settle(): Promise<void>;
  /** Lets `ms` milliseconds pass in which nothing happens, as in a process that is held up: timers fire late, afterwards. */
  holdUp(ms: number): void;
  /** Returns how many timers are running. */
  pendingTimers(): number;
}

/** What a virtual runtime starts from. */
export interface VirtualRuntimeOptions {
  /** Seed of `random`; default 1. */
  readonly seed?: number;
  /** Milliseconds since the epoch at time 0; default 2026-11-22T00:00:00Z. */
  readonly wallMs?: number;
  /** What `now` returns at first; default 0. */
  readonly nowMs?: number;
}

interface Timer {
  readonly dueAtMs: number;
  readonly order: number;
  readonly fire: () => void;
}

const DEFAULT_WALL_MS = Date.UTC(2026, 10, 22);
const HOUR_MS = 3_600_000;

/** Makes a runtime for tests: virtual time, seeded chance. Every run with the same seed and the same calls is the same. */
export function createVirtualRuntime(options: VirtualRuntimeOptions = {}): VirtualRuntime {
  const startMs = options.nowMs ?? 0;
  const wallMs = options.wallMs ?? DEFAULT_WALL_MS;
  const timers = new Map<TimerHandle, Timer>();
  let nowMs = startMs;
  let order = 0;
  const turns = { waiting: 0 };

  const yieldIo = async (): Promise<void> => {
    turns.waiting += 1;
    try {
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      turns.waiting -= 1;
    }
  };
  const settle = async (): Promise<void> => {
    do {
      await new Promise((resolve) => setImmediate(resolve));
    } while (turns.waiting > 0);
  };
  const fireNext = async (untilMs: number): Promise<boolean> => {
    const next = earliest(timers);
    if (next === undefined || next[1].dueAtMs > untilMs) return false;
    timers.delete(next[0]);
    nowMs = Math.max(nowMs, next[1].dueAtMs);
    next[1].fire();
    await settle();
    return true;
  };

  return {
    now: () => nowMs,
    wall: () => wallMs + (nowMs - startMs),
    setTimer: (ms, fire) => {
      order += 1;
      const handle = { order };
      timers.set(handle, { dueAtMs: nowMs + Math.max(0, ms), order, fire });
      return handle;
    },
    clearTimer: (handle) => void timers.delete(handle),
    random: mulberry32(options.seed ?? 1),
    yieldIo,
    settle,
    holdUp: (ms) => {
      nowMs += ms;
    },
    pendingTimers: () => timers.size,
    advance: async (ms) => {
      const untilMs = nowMs + ms;
      await settle();
      while (await fireNext(untilMs));
      nowMs = Math.max(nowMs, untilMs);
    },
    step: async () => {
      await settle();
      return fireNext(Number.POSITIVE_INFINITY);
    },
    runUntilIdle: async (limitMs = HOUR_MS) => {
      const beganAtMs = nowMs;
      await settle();
      while (await fireNext(beganAtMs + limitMs));
      if (timers.size > 0) throw new Error(`timers are still running after ${limitMs} ms`);
      return nowMs - beganAtMs;
    },
  };
}

/** Returns a generator of numbers in [0, 1) that repeats itself for the same seed (mulberry32). */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function earliest(timers: ReadonlyMap<TimerHandle, Timer>): readonly [TimerHandle, Timer] | undefined {
  let best: readonly [TimerHandle, Timer] | undefined;
  for (const entry of timers) {
    const [, timer] = entry;
    if (best === undefined || timer.dueAtMs < best[1].dueAtMs) best = entry;
  }
  return best;
}
