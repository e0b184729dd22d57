import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

import type { Figures } from './figures.ts';

/** One seed of one scenario. */
export interface Job {
  readonly name: string;
  readonly seed: number;
}

type Waiting = PromiseWithResolvers<Figures> & { readonly job: Job };

/** Lives seeds of scenarios through with every policy, on all cores; returns the figures of each scenario, as they come. */
export function figuresInParallel(
  names: readonly string[],
  seeds: readonly number[],
): ReadonlyMap<string, Promise<readonly Figures[]>> {
  const left: Waiting[] = [];
  const begin = (job: Job): Promise<Figures> => {
    const waiting = { ...Promise.withResolvers<Figures>(), job };
    left.push(waiting);
    return waiting.promise;
  };
  const promised = new Map(names.map((name) => [name, Promise.all(seeds.map((seed) => begin({ name, seed })))]));
  for (let count = Math.min(availableParallelism(), left.length); count > 0; count--) work(left);
  return promised;
}

/** Starts a worker that takes what is left until there is nothing. */
function work(left: Waiting[]): void {
  const worker = new Worker(new URL('figures-worker.ts', import.meta.url));
  let waiting: Waiting | undefined;
  const next = (): void => {
    waiting = left.shift();
    if (waiting === undefined) void worker.terminate();
    else worker.postMessage(waiting.job, []);
  };
  worker.on('message', (figures: Figures) => {
    waiting?.resolve(figures);
    next();
  });
  worker.on('error', (error) => {
    for (const one of [waiting, ...left.splice(0)]) one?.reject(error);
  });
  next();
}
