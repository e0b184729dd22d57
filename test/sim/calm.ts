import type { Facts } from './facts.ts';
import type { SimRequest } from './tape.ts';
import { PLAIN } from './tape.ts';

/** Between two requests of the calm, in milliseconds: longer than any answer of a target that is well. */
const GAP_MS = 15_000;

/**
 * Plans the requests that follow when no fault shows any more and every time that was to be waited has passed: each target comes
 * first as often as its circuit has places for probes, and once more. Returns when they begin.
 */
export function calmRequests(facts: Facts, ask: (asked: SimRequest, atMs: number) => void): number {
  const { tape, breakers, config, cooldownOf, runtime } = facts;
  const beginsAtMs = Math.max(
    runtime.now(),
    tape.calmFromMs,
    ...tape.targets.flatMap((target) => [
      ...breakers.all(target).map(({ breaker }) => breaker.reopensAtMs),
      cooldownOf(target).mayHoldUntilMs(`${target}-model`),
    ]),
  );
  let count = 0;
  for (let turn = 0; turn <= config.circuitBreaker.probes; turn++) {
    for (const [index] of tape.targets.entries()) {
      const asked: SimRequest = {
        id: 1_000_000 + count,
        atMs: 0,
        chain: [...tape.targets.slice(index), ...tape.targets.slice(0, index)],
        timeoutMs: 60_000,
        streams: true,
        ...PLAIN,
      };
      ask(asked, beginsAtMs + 1 + count * GAP_MS);
      count += 1;
    }
  }
  return beginsAtMs;
}
