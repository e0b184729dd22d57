import { describe, expect, test } from 'vitest';
import { ByteBudget, defaultBytesInFlight } from '../../../src/server/wire/byte-budget.ts';

const MIB = 1024 * 1024;
const SMALL = 64 * 1024;

describe('the budget of bytes', () => {
  test('is taken and given back', () => {
    const budget = new ByteBudget(100 * MIB);
    const held = budget.open('another');
    expect(held.take(10 * MIB)).toBe(true);
    held.answer(5 * MIB);
    expect([budget.requestBytes, budget.answerBytes]).toEqual([10 * MIB, 5 * MIB]);
    held.giveBack(4 * MIB);
    held.answerIs(MIB);
    expect([budget.requestBytes, budget.answerBytes]).toEqual([6 * MIB, MIB]);
    held.release();
    held.release();
    expect([budget.requestBytes, budget.answerBytes]).toEqual([0, 0]);
  });

  test('hears nothing more of a call that has given all back', () => {
    const budget = new ByteBudget(100 * MIB);
    const held = budget.open('another');
    held.take(MIB);
    held.answer(MIB);
    held.release();
    held.giveBack(MIB);
    held.answer(-MIB);
    expect([budget.requestBytes, budget.answerBytes]).toEqual([0, 0]);
    held.answerIs(MIB);
    expect(held.take(MIB)).toBe(false);
    expect([budget.requestBytes, budget.answerBytes]).toEqual([0, 0]);
  });

  test('keeps a quarter for small requests', () => {
    const budget = new ByteBudget(100 * MIB);
    for (const caller of ['a', 'b', 'c']) {
      expect(budget.open(caller).take(25 * MIB)).toBe(true);
    }
    expect(budget.isTight).toBe(false);
    expect(budget.open('another').take(SMALL + 1)).toBe(false);
    const small = Array.from({ length: 25 * 16 }, () => budget.open('another'));
    expect(small.every((held) => held.take(SMALL))).toBe(true);
    expect(budget.isTight).toBe(true);
    expect(budget.open('another').take(1)).toBe(false);
    expect(budget.requestBytes).toBe(100 * MIB);
    small[0]?.release();
    expect(budget.open('another').take(1)).toBe(true);
  });

  test('gives large requests of one caller half of it, and small ones as before', () => {
    const budget = new ByteBudget(100 * MIB);
    const held = [budget.open('caller'), budget.open('caller'), budget.open('caller')];
    expect(held.map((one) => one.take(25 * MIB))).toEqual([true, true, false]);
    const other = budget.open('another');
    expect(other.take(25 * MIB)).toBe(true);
    expect(budget.open('caller').take(SMALL)).toBe(true);
    other.release();
    expect(held[2]?.take(25 * MIB)).toBe(false);
    held[0]?.release();
    expect(held[2]?.take(25 * MIB)).toBe(true);
  });

  test('counts a request that comes piece by piece as large once it is', () => {
    const budget = new ByteBudget(100 * MIB);
    const held = budget.open('caller');
    const takeAll = (): number => {
      let taken = 0;
      while (held.take(SMALL)) taken += SMALL;
      return taken;
    };
    expect(takeAll()).toBe(50 * MIB);
    expect(budget.open('caller').take(SMALL)).toBe(true);
    held.release();
    expect(budget.open('caller').take(50 * MIB)).toBe(true);
  });

  test('refuses no small request of a caller who holds nothing large, unless answers that nobody reads take twice as much', () => {
    const budget = new ByteBudget(100 * MIB);
    const unread = [budget.open('a'), budget.open('b')];
    for (const held of unread) held.answer(80 * MIB);
    expect(budget.open('c').take(SMALL)).toBe(true);
    expect(budget.open('a').take(1)).toBe(false);
    unread[0]?.answer(-80 * MIB + SMALL);
    unread[1]?.answer(79 * MIB);
    expect(budget.open('a').take(1)).toBe(true);
    expect(budget.open('b').take(1)).toBe(false);
    unread[1]?.answer(41 * MIB);
    expect(budget.open('c').take(1)).toBe(false);
    for (const held of unread) held.release();
    expect(budget.open('b').take(1)).toBe(true);
  });

  test('never refuses an answer, but requests as long as answers are unread', () => {
    const budget = new ByteBudget(100 * MIB);
    const held = budget.open('another');
    held.answer(120 * MIB);
    expect(budget.open('another').take(1)).toBe(false);
    expect(budget.open('third').take(SMALL + 1)).toBe(false);
    held.release();
    expect(budget.open('another').take(1)).toBe(true);
  });

  test.each([
    ['a large machine', 64_000 * MIB, 4_000 * MIB, 256 * MIB],
    ['a container of 1 GiB', 1_024 * MIB, 512 * MIB, 128 * MIB],
    ['a heap of 300 MiB', 64_000 * MIB, 300 * MIB, 100 * MIB],
    ['less than four messages', 128 * MIB, 64 * MIB, 80 * MIB],
  ])('fits %s', (_name, memoryBytes, heapBytes, expected) => {
    expect(defaultBytesInFlight(memoryBytes, heapBytes, 20 * MIB)).toBe(expected);
  });
});
