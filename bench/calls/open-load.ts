import { setImmediate as nextTurn } from 'node:timers/promises';

import { checkAnswer } from './check.ts';
import { openCalls } from './load.ts';
import type { LoadedServer } from './load.ts';
import type { Scenario } from './scenarios.ts';

/** Calls that arrive whether others have been answered or not. */
export interface OpenLoadOptions {
  readonly server: LoadedServer;
  readonly scenario: Scenario;
  readonly callsPerSecond: number;
  /** Of gRPC, or that stand before the first call over HTTP/1.1, where more are opened when all are busy. */
  readonly connections: number;
  readonly warmUpMs: number;
  readonly countMs: number;
}

/** Every so many calls the answer is decoded and checked whole. */
const DECODE_EVERY = 64;
/** Short beside what is measured; without it the generator would take a whole core from the others. */
const NAP_MS = 0.02;
const asleep = new Int32Array(new SharedArrayBuffer(4));
/** So many calls under way say that the server cannot keep up. */
const MOST_UNDER_WAY = 5_000;

/**
 * Makes calls at instants that chance has chosen (Poisson), and returns their latencies in milliseconds, sorted. A latency begins at the
 * instant at which the call was due, so that a server that stalls, or a generator that is late, is seen in all calls that waited. Rejects
 * where an answer is wrong, or calls pile up.
 */
export async function loadOpenly(options: OpenLoadOptions): Promise<readonly number[]> {
  const { server, scenario, connections, warmUpMs } = options;
  const calls = await openCalls(server, scenario, connections);
  const latenciesMs: number[] = [];
  const check = (answer: Buffer): void => checkAnswer(scenario, server.door, answer);
  const state: { underWay: number; failure: unknown } = { underWay: 0, failure: undefined };
  const beganAtMs = performance.now();
  const call = async (dueMs: number, isChecked: boolean): Promise<void> => {
    state.underWay += 1;
    try {
      await calls.call(isChecked ? check : undefined);
      if (dueMs > warmUpMs) latenciesMs.push(performance.now() - beganAtMs - dueMs);
    } catch (error) {
      state.failure ??= error;
    }
    state.underWay -= 1;
  };
  const arrivals = arrivalsOf(options);
  try {
    // Timers are as coarse as the latencies are: the generator looks at the clock turn by turn, and naps between.
    for (let next = 0; next < arrivals.length || state.underWay > 0;) {
      const elapsedMs = performance.now() - beganAtMs;
      for (; (arrivals[next] ?? Infinity) <= elapsedMs; next++)
        void call(arrivals[next] ?? 0, next % DECODE_EVERY === 0);
      if (state.failure !== undefined) throw new Error(`${server.name}: a call failed`, { cause: state.failure });
      if (state.underWay > MOST_UNDER_WAY) throw new Error(`${server.name} does not keep up`);
      Atomics.wait(asleep, 0, 0, NAP_MS);
      await nextTurn();
    }
  } finally {
    calls.close();
  }
  return latenciesMs.toSorted((left, right) => left - right);
}

/** When calls are due, in milliseconds from the beginning. */
function arrivalsOf({ callsPerSecond, warmUpMs, countMs }: OpenLoadOptions): readonly number[] {
  const arrivals: number[] = [];
  for (let dueMs = 0; dueMs < warmUpMs + countMs; dueMs += (-Math.log(1 - Math.random()) / callsPerSecond) * 1_000)
    arrivals.push(dueMs);
  return arrivals;
}
