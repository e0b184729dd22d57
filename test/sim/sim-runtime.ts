import type { Runtime, TimerHandle } from '../../src/core/ports.ts';
import { mulberry32 } from '../support/virtual-runtime.ts';

/** The runtime of a simulation: a heap of timers, virtual time, seeded chance. */
export interface SimRuntime extends Runtime {
  /** Fires the next timer and lets microtasks run out; false where none is running. */
  step(): Promise<boolean>;
  /** Runs microtasks and pending turns of {@link Runtime.yieldIo} out; no time passes. */
  settle(): Promise<void>;
  /** How many timers are running. */
  pendingTimers(): number;
  /** How many timers have fired. */
  readonly events: number;
  /** Moves the wall clock, and nothing else. */
  jumpWall(byMs: number): void;
}

interface Timer {
  readonly dueAtMs: number;
  /** Chance decides among timers of the same moment: whatever may happen first, does in some seed. */
  readonly rank: number;
  readonly order: number;
  readonly fire: () => void;
}

const WALL_MS = Date.UTC(2026, 10, 22);

/** Makes a runtime whose every run with the same seed and the same calls is the same. */
export function createSimRuntime(seed: number): SimRuntime {
  const heap: Timer[] = [];
  /** Those that are neither cleared nor fired; each is its own handle. */
  const timers = new Map<TimerHandle, Timer>();
  const random = mulberry32(seed);
  const rank = mulberry32(seed ^ 0x5bd1_e995);
  const state = { nowMs: 0, order: 0, waiting: 0, events: 0, jumpedMs: 0 };

  const settle = async (): Promise<void> => {
    do await new Promise((resolve) => setImmediate(resolve));
    while (state.waiting > 0);
  };
  const next = (): Timer | undefined => {
    for (;;) {
      const timer = pop(heap);
      if (timer === undefined || timers.delete(timer)) return timer;
    }
  };
  return {
    now: () => state.nowMs,
    wall: () => WALL_MS + state.nowMs + state.jumpedMs,
    random,
    setTimer: (ms, fire) => {
      state.order += 1;
      const timer = { dueAtMs: state.nowMs + Math.max(0, ms), rank: rank(), order: state.order, fire };
      timers.set(timer, timer);
      push(heap, timer);
      return timer;
    },
    clearTimer: (handle) => void timers.delete(handle),
    yieldIo: async () => {
      state.waiting += 1;
      await new Promise((resolve) => setImmediate(resolve));
      state.waiting -= 1;
    },
    settle,
    pendingTimers: () => timers.size,
    get events() {
      return state.events;
    },
    jumpWall: (byMs) => {
      state.jumpedMs += byMs;
    },
    step: async () => {
      const timer = next();
      if (timer === undefined) return false;
      state.nowMs = Math.max(state.nowMs, timer.dueAtMs);
      state.events += 1;
      timer.fire();
      await settle();
      return true;
    },
  };
}

function isBefore(one: Timer, other: Timer): boolean {
  if (one.dueAtMs !== other.dueAtMs) return one.dueAtMs < other.dueAtMs;
  return one.rank === other.rank ? one.order < other.order : one.rank < other.rank;
}

function push(heap: Timer[], timer: Timer): void {
  let index = heap.push(timer) - 1;
  while (index > 0) {
    const parentIndex = (index - 1) >> 1;
    const parent = heap[parentIndex];
    if (parent === undefined || !isBefore(timer, parent)) break;
    heap[index] = parent;
    index = parentIndex;
  }
  heap[index] = timer;
}

function pop(heap: Timer[]): Timer | undefined {
  const top = heap[0];
  const last = heap.pop();
  if (top === undefined || last === undefined || heap.length === 0) return top;
  let index = 0;
  for (;;) {
    const left = heap[2 * index + 1];
    const right = heap[2 * index + 2];
    const isRight = left !== undefined && right !== undefined && isBefore(right, left);
    const child = isRight ? right : left;
    if (child === undefined || isBefore(last, child)) break;
    heap[index] = child;
    index = 2 * index + (isRight ? 2 : 1);
  }
  heap[index] = last;
  return top;
}
