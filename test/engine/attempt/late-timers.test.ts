import { describe, expect, it } from 'vitest';

import type { AttemptSink } from '../../../src/core/ports.ts';
import type { AttemptEnd } from '../../../src/engine/attempt/attempt.ts';
import { Attempt } from '../../../src/engine/attempt/attempt.ts';
import type { AttemptLimits } from '../../../src/engine/attempt/time-limits.ts';
import { CLASS_RULES } from '../../../src/core/failure.ts';
import { createEngineHarness, failureOf } from '../../support/engine-harness.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { TIMING } from '../../support/scripted-upstream.ts';
import type { ScriptEvent } from '../../support/upstream-scripts.ts';
import { after, END, output, terminal } from '../../support/upstream-scripts.ts';
import { createVirtualRuntime } from '../../support/virtual-runtime.ts';
import { LIMITS, Taken } from './attempt-bench.ts';

/** An attempt in a process that can be held up, with events that wait in the socket until it reads again. */
function heldUpAttempt(limits: AttemptLimits = LIMITS) {
  const runtime = createVirtualRuntime();
  const unread: ScriptEvent[] = [];
  const box: { sink?: AttemptSink<string, string>; end?: AttemptEnd<string> } = {};
  const reading = {
    ...runtime,
    yieldIo: async () => {
      for (const event of unread.splice(0)) box.sink?.(event);
      await runtime.yieldIo();
    },
  };
  const handle = { abort: () => {}, release: () => {}, pause: () => {}, resume: () => {} };
  const prepared = {
    timing: TIMING,
    open: (sink: AttemptSink<string, string>) => {
      box.sink = sink;
      return handle;
    },
  };
  const taken = new Taken(runtime);
  void new Attempt(reading, prepared, limits, taken).start().then((end) => (box.end = end));
  const failureClass = (): string | undefined => (box.end?.ok === false ? box.end.failure.class : undefined);
  return { runtime, unread, taken, send: (event: ScriptEvent) => box.sink?.(event), end: () => box.end, failureClass };
}

describe('a process that was held up', () => {
  it('reads what has come before it calls a provider silent', async () => {
    const { runtime, unread, taken, end } = heldUpAttempt();
    runtime.holdUp(15_000);
    unread.push(output('in time'), terminal(), END);
    await runtime.advance(0);
    expect(end()).toMatchObject({ ok: true, final: 'stop' });
    expect(taken.texts).toEqual(['in time']);
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('reads what has come before it calls an answer stalled, and goes on waiting', async () => {
    const { runtime, unread, taken, send, failureClass } = heldUpAttempt();
    send(output('one '));
    runtime.holdUp(33_000);
    unread.push(output('two '));
    await runtime.advance(0);
    expect(taken.texts).toEqual(['one ', 'two ']);
    await runtime.advance(29_999);
    expect(failureClass()).toBeUndefined();
    await runtime.advance(1);
    expect(failureClass()).toBe('silence');
  });

  it('blames the provider where it was held up for less than the limit and nothing has come', async () => {
    const { runtime, failureClass } = heldUpAttempt();
    runtime.holdUp(12_000 + 12_000);
    await runtime.advance(0);
    expect(failureClass()).toBe('silence');
  });

  it('blames nobody either where the longer of two limits was over twice when it came to look', async () => {
    const { runtime, failureClass } = heldUpAttempt({
      ...LIMITS,
      headAloneMs: 12_000,
      noHeadMs: 16_000,
      firstOutputMs: 16_000,
    });
    runtime.holdUp(40_000);
    await runtime.advance(0);
    expect(failureClass()).toBeDefined();
    expect(failureClass()).not.toBe('silence');
  });

  it('blames nobody where it was held up for longer than the limit', async () => {
    const before = heldUpAttempt();
    before.runtime.holdUp(12_000 + 12_001);
    await before.runtime.advance(0);
    expect(before.failureClass()).toBe('cut_short');
    const within = heldUpAttempt();
    within.send(output('one '));
    within.runtime.holdUp(30_000 + 30_001);
    await within.runtime.advance(0);
    expect(within.failureClass()).toBe('cut_short');
    expect(CLASS_RULES.cut_short.verdict).toBe('neutral');
  });

  it('opens no circuit, and tells a caller that its stream broke off', async () => {
    const { ask, runtime, upstream, health } = createEngineHarness(['a']);
    upstream.always('a', [after(10, output('half'))]);
    for (let index = 0; index < 6; index++) {
      const { result } = ask(['a'], { client: new RecordingClient(runtime) });
      await runtime.advance(10);
      runtime.holdUp(70_000);
      await runtime.advance(0);
      expect(failureOf(await result).reason).toBe('STREAM_INTERRUPTED');
    }
    expect(health('a')).toMatchObject({ circuit: 'CLOSED', failures: 0 });
  });
});
