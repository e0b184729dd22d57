import { expect, test } from 'vitest';

import { streamsUpstream } from '../../../src/engine/route/upstream-mode.ts';

test.each([
  [true, undefined, true],
  [true, 1, true],
  [false, undefined, true],
  [false, 257, true],
  [false, 256, false],
  [false, 1, false],
])('caller streams %s, at most %s tokens: the upstream call streams %s', (callerStreams, maxTokens, streams) => {
  expect(streamsUpstream(callerStreams, maxTokens, 'AUTO')).toBe(streams);
  expect(streamsUpstream(callerStreams, maxTokens, 'STREAM')).toBe(true);
  expect(streamsUpstream(callerStreams, maxTokens, 'JSON')).toBe(false);
});
