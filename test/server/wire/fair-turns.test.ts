import { describe, expect, test } from 'vitest';
import { FairTurns } from '../../../src/server/wire/fair-turns.ts';

/** An event loop whose turns are taken by hand, and what begins in each. */
function loopByHand() {
  const waiting: (() => void)[] = [];
  const state = { nowMs: 0, busyMs: 0 };
  const begun: string[] = [];
  const refused: string[] = [];
  const ended = new Set<string>();
  const turns = new FairTurns({
    now: () => state.nowMs,
    busyMs: () => state.busyMs,
    afterInput: (run) => void waiting.push(run),
  });
  return {
    add(callerKey: string, count: number, requestBytes = 1_000): void {
      for (let at = 1; at <= count; at += 1) {
        const name = `${callerKey}${at}`;
        const refuseAsLate = (): void => void refused.push(name);
        const begin = (): boolean => !ended.has(name) && begun.push(name) > 0;
        turns.add({ callerKey, begin, refuseAsLate }, requestBytes);
      }
    },
    /** Ends a turn that has taken so many milliseconds, and been at work for so many of them. */
    turn(ms: number, busyMs = ms): void {
      state.nowMs += ms;
      state.busyMs += busyMs;
      for (const run of waiting.splice(0)) run();
    },
    /** Ends calls while they wait. */
    end(...names: readonly string[]): void {
      for (const name of names) ended.add(name);
    },
    /** What has begun since it was asked last. */
    begun: () => begun.splice(0),
    refused: () => refused.splice(0),
    get isWaiting() {
      return waiting.length > 0;
    },
  };
}

describe('calls begin', () => {
  test('at once where few arrive in a turn of the event loop, and the loop may sleep behind it', () => {
    const loop = loopByHand();
    loop.add('a', 4);
    expect(loop.begun()).toEqual(['a1', 'a2', 'a3', 'a4']);
    loop.turn(100);
    expect(loop.isWaiting).toBe(false);
  });

  test('no more than 32 in a turn, the others in the next ones', () => {
    const loop = loopByHand();
    loop.add('a', 100);
    // One beyond, since none of this caller waited.
    expect(loop.begun()).toHaveLength(33);
    loop.turn(1);
    expect(loop.begun()).toHaveLength(32);
    loop.turn(1);
    loop.turn(1);
    expect(loop.begun()).toHaveLength(35);
  });

  test('fewer in a turn where their requests are long: one, where it fills a turn by itself', () => {
    const loop = loopByHand();
    const long = 3 * 1024 * 1024;
    for (const caller of ['a', 'b', 'c', 'd']) loop.add(caller, 1, long);
    expect(loop.begun()).toEqual(['a1']);
    // A short one of somebody who has none waiting does not wait behind them.
    loop.add('e', 1);
    expect(loop.begun()).toEqual(['e1']);
    loop.turn(2);
    loop.turn(2);
    expect(loop.begun()).toEqual(['b1', 'c1']);
    loop.add('f', 20, 120 * 1024);
    loop.turn(2);
    expect(loop.begun()).toEqual(['d1']);
    loop.turn(2);
    expect(loop.begun()).toHaveLength(16);
  });

  test('at once for a caller who has none waiting, whatever waits of others', () => {
    const loop = loopByHand();
    loop.add('a', 1_000);
    loop.begun();
    loop.add('b', 1);
    expect(loop.begun()).toEqual(['b1']);
  });

  test('of a caller with a few before the rest of a long line, and of those with long lines by turns', () => {
    const loop = loopByHand();
    loop.add('a', 200);
    loop.add('b', 200);
    loop.begun();
    loop.turn(40);
    loop.turn(40);
    loop.turn(40);
    loop.begun();
    // One may begin in a turn now.
    loop.add('c', 3);
    expect(loop.begun()).toEqual(['c1']);
    loop.turn(4);
    loop.turn(4);
    expect(loop.begun()).toHaveLength(2);
    loop.turn(4);
    loop.turn(4);
    const names = loop.begun().map(([first]) => first);
    expect(names).toHaveLength(2);
    for (let count = 0; count < 4; count += 1) loop.turn(4);
    const later = loop.begun();
    expect(later.filter((name) => name.startsWith('a')).length).toBeGreaterThan(0);
    expect(later.filter((name) => name.startsWith('b')).length).toBeGreaterThan(0);
  });

  test('fewer in a turn where turns are long, one at the least, and more again where they are short', () => {
    const loop = loopByHand();
    loop.add('a', 1_000);
    loop.turn(0);
    loop.begun();
    loop.turn(20);
    expect(loop.begun()).toHaveLength(8);
    loop.turn(100);
    expect(loop.begun()).toHaveLength(1);
    loop.turn(100);
    expect(loop.begun()).toHaveLength(1);
    loop.turn(4);
    expect(loop.begun()).toHaveLength(1);
    loop.turn(1);
    expect(loop.begun()).toHaveLength(2);
    loop.turn(1);
    expect(loop.begun()).toHaveLength(3);
  });

  test('not fewer in a turn that is long since others use the machine', () => {
    const loop = loopByHand();
    loop.add('a', 1_000);
    loop.turn(0);
    loop.begun();
    loop.turn(100, 4);
    expect(loop.begun()).toHaveLength(32);
  });

  test('never after five seconds of waiting: then they are refused, a few in each turn', () => {
    const loop = loopByHand();
    loop.add('a', 200);
    loop.begun();
    loop.turn(5_001);
    expect(loop.refused()).toHaveLength(64);
    expect(loop.begun()).toHaveLength(32);
    loop.turn(4);
    expect(loop.refused()).toHaveLength(64);
  });

  test('in place of those that have ended while they waited, whose turns are for the next ones', () => {
    const loop = loopByHand();
    loop.add('a', 100);
    loop.begun();
    loop.end(...Array.from({ length: 40 }, (_, at) => `a${at + 34}`));
    loop.turn(1);
    expect(loop.begun()).toEqual(Array.from({ length: 27 }, (_, at) => `a${at + 74}`));
  });

  test('as early where calls of the same caller have ended before them', () => {
    const loop = loopByHand();
    loop.add('a', 74);
    loop.add('b', 101);
    loop.begun();
    loop.end(...Array.from({ length: 40 }, (_, at) => `a${at + 34}`));
    loop.turn(1);
    expect(loop.begun()).toContain('a74');
  });

  test('and the loop sleeps again when no call waits and turns are short', () => {
    const loop = loopByHand();
    loop.add('a', 200);
    for (let count = 0; count < 60 && loop.isWaiting; count += 1) loop.turn(6);
    for (let count = 0; count < 60 && loop.isWaiting; count += 1) loop.turn(0.1);
    expect(loop.begun()).toHaveLength(200);
    expect(loop.isWaiting).toBe(false);
  });
});
