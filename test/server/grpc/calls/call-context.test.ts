import { EventEmitter } from 'node:events';
import { Code, ConnectError } from '@connectrpc/connect';
import { Metadata } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { LlmService } from '../../../../gen/understudy/v1/llm_pb.ts';
import { GrpcContext } from '../../../../src/server/grpc/calls/call-context.ts';

/** A call with a deadline, a clock that stands at 1000 ms, and its timers by hand. */
function contextAt(deadline: number, cancelled = false) {
  const timers = new Map<object, { ms: number; fire: () => void }>();
  const clock = {
    now: () => 1000,
    setTimer: (ms: number, fire: () => void) => {
      const handle = {};
      timers.set(handle, { ms, fire });
      return handle;
    },
    clearTimer: (handle: object) => void timers.delete(handle),
  };
  const call = Object.assign(new EventEmitter(), {
    metadata: new Metadata(),
    cancelled,
    getDeadline: () => deadline,
    getPath: () => '/path',
    callerKey: 'peer',
    caller: undefined,
  });
  const context = new GrpcContext(LlmService.method.chat, call, clock);
  return { context, call, timers };
}

function codeOf(context: GrpcContext): Code | undefined {
  return context.signal.aborted ? ConnectError.from(context.signal.reason).code : undefined;
}

test('the deadline aborts when it passes, at once where it has passed', () => {
  const { context, timers } = contextAt(1500);
  expect(context.timeoutMs()).toBe(500);
  expect(codeOf(context)).toBeUndefined();
  const [timer] = timers.values();
  expect(timer?.ms).toBe(500);
  timer?.fire();
  expect(codeOf(context)).toBe(Code.DeadlineExceeded);
  const late = contextAt(900).context;
  expect([late.timeoutMs(), codeOf(late)]).toEqual([0, Code.DeadlineExceeded]);
});

test('a cancel aborts, also one that came before; the first reason counts', () => {
  const { context, call, timers } = contextAt(1500);
  call.emit('cancelled');
  for (const timer of timers.values()) timer.fire();
  expect(codeOf(context)).toBe(Code.Canceled);
  expect(codeOf(contextAt(Number.POSITIVE_INFINITY, true).context)).toBe(Code.Canceled);
});

test('a closed context has no timer and no listener, and has not aborted', () => {
  const { context, call, timers } = contextAt(1500);
  context.close();
  call.emit('cancelled');
  expect([timers.size, call.listenerCount('cancelled'), codeOf(context)]).toEqual([0, 0, undefined]);
});

test('without a deadline there is no timer', () => {
  const { context, timers } = contextAt(Number.POSITIVE_INFINITY);
  expect([context.timeoutMs(), timers.size]).toEqual([undefined, 0]);
});
