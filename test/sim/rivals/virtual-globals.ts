import type { SimRuntime } from '../sim-runtime.ts';

/** Runs something whose libraries read the globals on virtual time and seeded chance; puts the real ones back afterwards. */
export async function withVirtualGlobals<Result>(runtime: SimRuntime, run: () => Promise<Result>): Promise<Result> {
  const { setTimeout, clearTimeout } = globalThis;
  const { now } = Date;
  const { random } = Math;
  Reflect.set(globalThis, 'setTimeout', (fire: () => void, ms = 0) => runtime.setTimer(ms, fire));
  Reflect.set(globalThis, 'clearTimeout', (handle: object | undefined) => {
    if (handle !== undefined) runtime.clearTimer(handle);
  });
  Reflect.set(Date, 'now', () => runtime.wall());
  Reflect.set(Math, 'random', () => runtime.random());
  try {
    return await run();
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
    Object.assign(Date, { now });
    Object.assign(Math, { random });
  }
}
