import { describe, expect, it } from 'vitest';

import { createLoadWatch, watchLoad } from '../../../src/telemetry/load/overload.ts';

function watch() {
  const world = { now: 0, heap: 0.5, memory: 0.5, lag: 10 as number | undefined, readings: 0 };
  const check = createLoadWatch(
    { now: () => world.now },
    {
      heapShare: () => world.heap,
      memoryShare: () => world.memory,
      lagMs: () => {
        world.readings++;
        return world.lag;
      },
    },
  );
  const after = (ms: number): boolean => {
    world.now += ms;
    return check();
  };
  return { world, after };
}

describe('load', () => {
  it('is read at most twice a second', () => {
    const { world, after } = watch();
    for (let index = 0; index < 100; index++) after(10);
    expect(world.readings).toBe(2);
  });

  it('is too much above 90 % of the heap, until it is no more', () => {
    const { world, after } = watch();
    world.heap = 0.9;
    expect(after(500)).toBe(false);
    world.heap = 0.901;
    expect(after(499)).toBe(false);
    expect(after(1)).toBe(true);
    world.heap = 0.5;
    expect(after(500)).toBe(false);
  });

  it('is too much above 90 % of the memory, until it is no more', () => {
    const { world, after } = watch();
    world.memory = 0.9;
    expect(after(500)).toBe(false);
    world.memory = 0.901;
    expect(after(500)).toBe(true);
    world.memory = 0.5;
    expect(after(500)).toBe(false);
  });

  it('is too much where the event loop is over 500 ms late twice in a row, not once', () => {
    const { world, after } = watch();
    world.lag = 501;
    expect(after(500)).toBe(false);
    world.lag = 500;
    expect(after(500)).toBe(false);
    world.lag = 501;
    expect(after(500)).toBe(false);
    expect(after(500)).toBe(true);
    world.lag = 20;
    expect(after(500)).toBe(false);
  });

  it('is judged by the last readings where there is no new one', () => {
    const { world, after } = watch();
    world.lag = 800;
    after(500);
    world.lag = undefined;
    expect(after(500)).toBe(false);
    world.lag = 800;
    expect(after(500)).toBe(true);
    world.lag = undefined;
    expect(after(500)).toBe(true);
  });

  it('of this process is seen: turns of the loop that take 600 ms each are an overload', async () => {
    const load = watchLoad(performance);
    try {
      expect(load.check()).toBe(false);
      let seen = false;
      for (let turn = 0; turn < 20 && !seen; turn++) {
        const untilMs = performance.now() + 600;
        while (performance.now() < untilMs);
        await new Promise((resolve) => setImmediate(resolve));
        seen = load.check();
      }
      expect(seen).toBe(true);
    } finally {
      load.close();
    }
  });
});
