import type { Runtime } from '../../core/ports.ts';

/** Waits for what other replicas give back, in milliseconds: the first, and the longest. */
const WAIT_MS = { first: 50, longest: 500, growth: 1.5 } as const;

/** Calls back again and again, with growing waits; returns how to stop. */
export function lookAgain(runtime: Runtime, look: () => void): () => void {
  let ms: number = WAIT_MS.first;
  const wait = () =>
    runtime.setTimer(ms * (0.75 + runtime.random() / 4), () => {
      ms = Math.min(WAIT_MS.longest, ms * WAIT_MS.growth);
      timer = wait();
      look();
    });
  let timer = wait();
  return () => runtime.clearTimer(timer);
}
