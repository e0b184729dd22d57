import { parentPort } from 'node:worker_threads';

import { RIVALS } from '../policies.ts';
import { figuresOf } from './figures.ts';
import type { Job } from './parallel.ts';

/** Lives through what it is sent, one after the other, and sends the figures back. */
parentPort?.on('message', ({ name, seed }: Job) => {
  void figuresOf(name, seed, RIVALS).then((figures) => parentPort?.postMessage(figures, []));
});
