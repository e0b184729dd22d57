import { describe, expect, it } from 'vitest';

import { createEngineHarness, trailOf } from '../../support/engine-harness.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { breaksAfter, fails, SILENCE } from '../../support/upstream-scripts.ts';

/** A model that may think in silence for two minutes. */
const REASONING = { firstOutputMs: 120_000 };

describe('the slice of a visit', () => {
  it('keeps nothing back for a target that the request has no repeats left to visit again', async () => {
    for (const [maxRepeats, slice] of [
      [1, 58_350],
      [2, 47_350],
    ] as const) {
      const { run, upstream } = createEngineHarness(['a', 'b'], { retry: { order: 'NEXT_FIRST', maxRepeats } });
      for (const target of ['a', 'b']) upstream.script(target, fails('overload', {}, 0), SILENCE);
      const result = await run(['a', 'b'], { timeoutMs: 60_000, timing: REASONING });
      expect(trailOf(result).slice(0, 3)).toEqual(['FIRST a overload', 'FAILOVER b overload', 'RETRY a cut_short']);
      expect(result.attempts[2]?.sliceMs).toBe(slice);
    }
  });

  it('keeps nothing back for a target whose last visit a restart takes', async () => {
    for (const [maxRepeats, slice] of [
      [1, 58_350],
      [2, 56_350],
    ] as const) {
      const { run, runtime, upstream } = createEngineHarness(['a', 'b'], { retry: { maxRepeats } });
      upstream.script('b', fails('rate_limit', { retryAfterMs: 900 }, 0), SILENCE);
      await run(['b'], { timeoutMs: 500 });
      upstream.script('a', breaksAfter(['half'], 'overload', 0), SILENCE);
      const client = new RecordingClient(runtime);
      const result = await run(['a', 'b'], { client, recovery: 'RESTART', timeoutMs: 60_000, timing: REASONING });
      const made = result.attempts.filter(({ kind }) => kind !== 'SKIPPED');
      expect(made.slice(0, 2).map(({ kind, entry }) => `${kind} ${entry.target}`)).toEqual(['FIRST a', 'RESTART b']);
      expect(made[1]?.sliceMs).toBe(slice);
    }
  });
});
