import { expect, test } from 'vitest';

import { rollingRestart } from '../support/rolling-restart.ts';

test('two gateways are replaced behind a client that repeats nothing: no call fails, and no stream is cut', async () => {
  const { failures, exitCodes, streams, calls } = await rollingRestart({
    streams: 40,
    streamMs: 3_000,
    callsPerSecond: 40,
  });
  expect(failures).toEqual({});
  expect(exitCodes).toEqual([0, 0]);
  expect(streams).toBe(80);
  expect(calls).toBeGreaterThan(20);
});
