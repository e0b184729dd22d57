import { checkAnswer } from './check.ts';
import type { Caller, Calls } from './doors.ts';
import { failureAt, openCalls } from './load.ts';
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
export async function loadOpenly(options: OpenLoadOptions): Promise<Float64Array> {
  const { server, scenario, connections, warmUpMs } = options;
  const calls = await openCalls(server, scenario, connections);
  try {
    const run = new OpenRun(calls, arrivalsOf(options), (answer) => checkAnswer(scenario, server.door, answer));
    return (await run.latenciesMs(warmUpMs)).toSorted();
  } catch (error) {
    throw failureAt(server, error);
  } finally {
    calls.close();
  }
}

/** Leaves next to no garbage for each call, as the collections of the generator would stand in the latencies. */
class OpenRun {
  readonly #calls: Calls;
  readonly #arrivalsMs: Float64Array;
  readonly #endsMs: Float64Array;
  readonly #check: (answer: Buffer) => void;
  readonly #over = Promise.withResolvers<void>();
  readonly #beganAtMs = performance.now();
  #next = 0;
  #ended = 0;
  #isOver = false;

  constructor(calls: Calls, arrivalsMs: Float64Array, check: (answer: Buffer) => void) {
    this.#calls = calls;
    this.#arrivalsMs = arrivalsMs;
    this.#endsMs = new Float64Array(arrivalsMs.length);
    this.#check = check;
  }

  /** Makes the calls, and returns the latencies of those that were due after so many milliseconds. */
  async latenciesMs(afterMs: number): Promise<Float64Array> {
    setImmediate(this.#turn);
    await this.#over.promise;
    return this.#endsMs
      .map((endMs, index) => endMs - (this.#arrivalsMs[index] ?? 0))
      .filter((_, index) => (this.#arrivalsMs[index] ?? 0) > afterMs);
  }

  /** Timers are as coarse as the latencies are: the generator looks at the clock turn by turn, and naps between. */
  readonly #turn = (): void => {
    if (this.#isOver) return;
    Atomics.wait(asleep, 0, 0, NAP_MS);
    const elapsedMs = performance.now() - this.#beganAtMs;
    for (; (this.#arrivalsMs[this.#next] ?? Infinity) <= elapsedMs; this.#next++)
      this.#calls.call(this.#callerOf(this.#next));
    if (this.#next - this.#ended > MOST_UNDER_WAY) this.#fail(new Error('calls pile up'));
    if (this.#ended === this.#arrivalsMs.length) this.#over.resolve();
    else if (!this.#isOver) setImmediate(this.#turn);
  };

  #callerOf(index: number): Caller {
    return {
      onAnswer: index % DECODE_EVERY === 0 ? this.#check : undefined,
      onEnd: () => {
        this.#endsMs[index] = performance.now() - this.#beganAtMs;
        this.#ended += 1;
      },
      onFailure: this.#fail,
    };
  }

  readonly #fail = (error: unknown): void => {
    this.#isOver = true;
    this.#over.reject(error);
  };
}

/** When calls are due, in milliseconds from the beginning. */
function arrivalsOf({ callsPerSecond, warmUpMs, countMs }: OpenLoadOptions): Float64Array {
  const arrivals: number[] = [];
  for (let dueMs = 0; dueMs < warmUpMs + countMs; dueMs += (-Math.log(1 - Math.random()) / callsPerSecond) * 1_000)
    arrivals.push(dueMs);
  return Float64Array.from(arrivals);
}
