import { expect, test } from 'vitest';

import { EXIT, exitStatusOf } from '../../../src/cli/terminal/exit-status.ts';

test.each([
  ['INVALID_ARGUMENT', 'INVALID_REQUEST', 3],
  ['NOT_FOUND', 'MODEL_NOT_FOUND', 3],
  ['RESOURCE_EXHAUSTED', 'MESSAGE_TOO_LARGE', 3],
  ['UNAUTHENTICATED', '', 3],
  ['UNAVAILABLE', '', 4],
  ['RESOURCE_EXHAUSTED', 'PROVIDER_RATE_LIMITED', 4],
  ['INTERNAL', 'PROVIDER_AUTH_FAILED', 4],
  ['FAILED_PRECONDITION', 'NO_PROVIDER_CONFIGURED', 4],
  ['ABORTED', 'STREAM_INTERRUPTED', 4],
  ['DEADLINE_EXCEEDED', 'DEADLINE', 5],
  ['DEADLINE_EXCEEDED', '', 5],
  ['INTERNAL', 'INTERNAL', 1],
  ['UNIMPLEMENTED', '', 1],
  // A reason that is newer than this program.
  ['UNAVAILABLE', 'OF_TOMORROW', 4],
])('%s %s ends with %i', (code, reason, status) => {
  expect(exitStatusOf(code, reason)).toBe(status);
});

test('statuses of signals are those of a shell', () => {
  expect([EXIT.interrupted, EXIT.outputClosed, EXIT.terminated]).toEqual([130, 141, 143]);
});
