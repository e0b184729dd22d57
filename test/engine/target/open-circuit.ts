import type { EngineHarness } from '../../support/engine-harness.ts';
import { createEngineHarness } from '../../support/engine-harness.ts';
import { fails } from '../../support/upstream-scripts.ts';

/** Makes an engine whose target `a` has an open circuit with so many places for probes, from five failures at time 0. */
export async function withOpenCircuit(
  targets: readonly string[] = ['a', 'b'],
  { probes = 1 }: { readonly probes?: number } = {},
): Promise<EngineHarness> {
  const harness = createEngineHarness(targets, { retry: { maxRepeats: 0 }, circuitBreaker: { probes } });
  for (let index = 0; index < 5; index++) harness.upstream.script('a', fails('overload', {}, 0));
  for (let index = 0; index < 5; index++) await harness.run(['a']);
  return harness;
}
