import { describe, expect, it } from 'vitest';

import { createVirtualRuntime } from './virtual-runtime.ts';

describe('the virtual runtime', () => {
  it('fires timers in the order of their times, then of their making, at exactly their times', async () => {
    const runtime = createVirtualRuntime();
    const fired: string[] = [];
    const note = (name: string) => () => void fired.push(`${name}@${runtime.now()}`);
    runtime.setTimer(20, note('late'));
    runtime.setTimer(10, note('first'));
    runtime.setTimer(10, note('second'));
    const cleared = runtime.setTimer(10, note('never'));
    runtime.clearTimer(cleared);
    await runtime.advance(15);
    expect(fired).toEqual(['first@10', 'second@10']);
    expect([runtime.now(), runtime.wall()]).toEqual([15, Date.UTC(2026, 10, 22) + 15]);
    expect(await runtime.runUntilIdle()).toBe(5);
    expect(fired.at(-1)).toBe('late@20');
    expect(runtime.pendingTimers()).toBe(0);
  });

  it('runs microtasks and turns out between timers, and timers that they set', async () => {
    const runtime = createVirtualRuntime();
    const steps: string[] = [];
    const work = async (): Promise<void> => {
      await runtime.yieldIo();
      await Promise.resolve();
      steps.push(`worked@${runtime.now()}`);
      runtime.setTimer(5, () => void steps.push(`after@${runtime.now()}`));
    };
    runtime.setTimer(1, () => void work());
    runtime.setTimer(2, () => void steps.push('next'));
    await runtime.advance(6);
    expect(steps).toEqual(['worked@1', 'next', 'after@6']);
  });

  it('does not run for ever, and repeats its chance', async () => {
    const runtime = createVirtualRuntime({ seed: 3 });
    const again = (): void => void runtime.setTimer(1000, again);
    again();
    await expect(runtime.runUntilIdle(60_000)).rejects.toThrow('60000 ms');
    const same = createVirtualRuntime({ seed: 3 });
    const numbers = [runtime.random(), runtime.random()];
    expect([same.random(), same.random()]).toEqual(numbers);
    expect(createVirtualRuntime({ seed: 4 }).random()).not.toBe(numbers[0]);
  });
});
