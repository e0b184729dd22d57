import { describe, expect, it } from 'vitest';

import { Alarm } from '../../../src/engine/attempt/alarm.ts';
import { createVirtualRuntime } from '../../support/virtual-runtime.ts';

describe('an alarm', () => {
  it('goes off in its turn, once, and can be set again or cleared', async () => {
    const runtime = createVirtualRuntime();
    const alarm = new Alarm(runtime);
    const fired: string[] = [];
    alarm.set(100, () => fired.push(`never at ${runtime.now()}`));
    alarm.set(200, (lateMs) => fired.push(`${lateMs} ms late at ${runtime.now()}`));
    await runtime.advance(1_000);
    alarm.set(100, () => fired.push('never'));
    alarm.clear();
    await runtime.advance(1_000);
    expect(fired).toEqual(['0 ms late at 200']);
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('that is up to 0.1 s late goes off in its turn', () => {
    const late: { fire?: () => void; nowMs: number } = { nowMs: 0 };
    const runtime = {
      ...createVirtualRuntime(),
      now: () => late.nowMs,
      setTimer: (_ms: number, fire: () => void) => {
        late.fire = fire;
        return 1;
      },
    };
    const fired: number[] = [];
    new Alarm(runtime).set(100, (lateMs) => fired.push(lateMs));
    late.nowMs = 200;
    late.fire?.();
    expect(fired).toEqual([100]);
  });

  it('that is later lets input in first, which may clear it or set it anew', async () => {
    const runtime = createVirtualRuntime();
    const fired: string[] = [];
    let onInput = (): void => undefined;
    const yielding = {
      ...runtime,
      yieldIo: async () => {
        onInput();
        await runtime.yieldIo();
      },
    };
    const alarm = new Alarm(yielding);
    const late = async (input: () => void): Promise<void> => {
      onInput = input;
      alarm.set(100, (lateMs) => fired.push(`${lateMs} ms late`));
      runtime.holdUp(201);
      await runtime.advance(0);
    };
    await late(() => alarm.clear());
    expect(fired).toEqual([]);
    await late(() => alarm.set(50, () => fired.push('anew')));
    await runtime.advance(50);
    expect(fired).toEqual(['anew']);
    await late(() => undefined);
    expect(fired).toEqual(['anew', '101 ms late']);
    // What holds the process up while it looks for input counts as well.
    await late(() => runtime.holdUp(2_000));
    expect(fired.at(-1)).toBe('2101 ms late');
    expect(runtime.pendingTimers()).toBe(0);
  });
});
