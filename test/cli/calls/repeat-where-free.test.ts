import { Code, ConnectError } from '@connectrpc/connect';
import { expect, test } from 'vitest';

import { repeatWhereFree } from '../../../src/cli/calls/repeat-where-free.ts';

/** A failure to which the gateway has added when a repeat is welcome; -1: it is not. */
const pushedBack = (ms: number) => new ConnectError('no', Code.Unavailable, { 'grpc-retry-pushback-ms': String(ms) });
const refused = Object.assign(new Error('no'), { code: 'ECONNREFUSED' });
const unreached = new ConnectError('no', Code.Unavailable, undefined, undefined, refused);

/** Makes calls that fail with these errors, one after the other, and then succeed; time passes in waits alone. */
async function repeated(errors: readonly Error[], options: { readonly retries?: number; readonly timeoutMs?: number }) {
  let nowMs = 0;
  const tries: (number | undefined)[] = [];
  const waits: number[] = [];
  const timers = {
    now: () => nowMs,
    setTimer: (ms: number, fire: () => void) => {
      nowMs += ms;
      queueMicrotask(fire);
      return 0;
    },
    clearTimer: () => {},
  };
  const failed = await repeatWhereFree(
    async (timeoutMs) => {
      tries.push(timeoutMs);
      const error = errors[tries.length - 1];
      if (error !== undefined) throw error;
    },
    {
      retries: options.retries ?? 2,
      timeoutMs: options.timeoutMs,
      signal: new AbortController().signal,
      timers,
      onRepeat: (_error, waitMs) => waits.push(waitMs),
    },
  ).then(
    () => false,
    () => true,
  );
  return { failed, tries: tries.length, waits, left: tries.at(-1) };
}

test('a call is repeated after the wait that the gateway names, within the deadline of all tries', async () => {
  const told = await repeated([pushedBack(300), pushedBack(200)], { timeoutMs: 1_000 });
  expect(told).toEqual({ failed: false, tries: 3, waits: [300, 200], left: 500 });
});

test('a gateway that was not reached is looked for again', async () => {
  expect(await repeated([unreached], {})).toMatchObject({ failed: false, tries: 2, waits: [500] });
});

test.each([
  ['no repeat is asked for', [pushedBack(10)], { retries: 0 }],
  ['the gateway forbids it', [pushedBack(-1)], {}],
  ['nobody says that it is free', [new ConnectError('no', Code.Unavailable)], {}],
  ['the wait would outlast the deadline', [pushedBack(1_000)], { timeoutMs: 1_000 }],
  ['it is no error of a call', [new Error('a fault')], {}],
])('there is one try where %s', async (_why, errors, options) => {
  expect(await repeated(errors, options)).toMatchObject({ failed: true, tries: 1, waits: [] });
});

test('repeats are as many as were asked for', async () => {
  const errors = Array.from({ length: 5 }, () => pushedBack(10));
  expect(await repeated(errors, { retries: 3 })).toMatchObject({ failed: true, tries: 4 });
});
