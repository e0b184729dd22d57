import type { Runtime, TimerHandle } from '../../src/core/ports.ts';
import { mulberry32 } from '../support/virtual-runtime.ts';

/**
 * The runtime of a simulation: timers of the engine and of the world around it, virtual time, seeded chance. What the world
 * does is input: while the process is held up it piles up, and is read only behind the engine's own timers that are due.
 */
export interface SimRuntime extends Runtime {
  /** The same time with the timers of the world: upstreams, callers, operators. */
  readonly world: Runtime;
  /** Fires the next timer and lets microtasks run out; false where none is running. */
  step(): Promise<boolean>;
  /** Runs microtasks and pending turns of {@link Runtime.yieldIo} out; no time passes. */
  settle(): Promise<void>;
  /** Lets time pass in which nothing happens, as in a process that is held up. */
  stall(forMs: number): void;
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
  const own = new Timers();
  const world = new Timers();
  const random = mulberry32(seed);
  const rank = mulberry32(seed ^ 0x5bd1_e995);
  const state = { nowMs: 0, order: 0, events: 0, jumpedMs: 0 };
  const turns: (() => void)[] = [];

  const isLate = (timer: Timer | undefined): boolean => timer !== undefined && timer.dueAtMs < state.nowMs;
  const fire = (timers: Timers): void => {
    const timer = timers.take();
    if (timer === undefined) return;
    state.nowMs = Math.max(state.nowMs, timer.dueAtMs);
    state.events += 1;
    timer.fire();
  };
  const settle = async (): Promise<void> => {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      // As in an event loop: all timers that are due, then input, then those who waited for it.
      if (turns.length === 0 || isLate(own.first)) return;
      const input = world.first;
      if (input !== undefined && input.dueAtMs <= state.nowMs) {
        fire(world);
        continue;
      }
      for (const turn of turns.splice(0)) turn();
    }
  };
  const next = (): Timers | undefined => {
    const [mine, other] = [own.first, world.first];
    if (mine === undefined || other === undefined) return mine === undefined ? other && world : own;
    if (isLate(mine)) return own;
    return !isLate(other) && isBefore(mine, other) ? own : world;
  };
  const runtimeOf = (timers: Timers): Runtime => ({
    now: () => state.nowMs,
    wall: () => WALL_MS + state.nowMs + state.jumpedMs,
    random,
    setTimer: (ms, fired) => {
      state.order += 1;
      return timers.add({ dueAtMs: state.nowMs + Math.max(0, ms), rank: rank(), order: state.order, fire: fired });
    },
    clearTimer: (handle) => timers.clear(handle),
    yieldIo: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      turns.push(resolve);
      return promise;
    },
  });
  return {
    ...runtimeOf(own),
    world: runtimeOf(world),
    settle,
    pendingTimers: () => own.size + world.size,
    get events() {
      return state.events;
    },
    jumpWall: (byMs) => {
      state.jumpedMs += byMs;
    },
    stall: (forMs) => {
      state.nowMs += forMs;
    },
    step: async () => {
      const timers = next();
      if (timers === undefined) return false;
      fire(timers);
      await settle();
      return true;
    },
  };
}

/** Timers in the order of their times. */
class Timers {
  readonly #heap: Timer[] = [];
  /** Those that are neither cleared nor fired; each is its own handle. */
  readonly #live = new Map<TimerHandle, Timer>();

  get size(): number {
    return this.#live.size;
  }

  add(timer: Timer): TimerHandle {
    this.#live.set(timer, timer);
    push(this.#heap, timer);
    return timer;
  }

  clear(handle: TimerHandle): void {
    this.#live.delete(handle);
  }

  /** The next one; undefined where none is running. */
  get first(): Timer | undefined {
    for (;;) {
      const timer = this.#heap[0];
      if (timer === undefined || this.#live.has(timer)) return timer;
      pop(this.#heap);
    }
  }

  /** Takes the next one out. */
  take(): Timer | undefined {
    const timer = this.first;
    if (timer === undefined) return undefined;
    pop(this.#heap);
    this.#live.delete(timer);
    return timer;
  }
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
