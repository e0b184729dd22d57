import { memoryUsage } from 'node:process';

import { afterEach, expect, test, vi } from 'vitest';

import { memoryBytes } from '../../../src/telemetry/load/memory.ts';

const MIB = 1024 * 1024;

afterEach(() => {
  vi.restoreAllMocks();
});

test('a process that cannot read its memory, without descriptors, goes by what it took before', () => {
  const read = vi.spyOn(memoryUsage, 'rss');
  const fail = (): never => {
    throw new Error('EMFILE: too many open files');
  };
  read.mockImplementation(fail);
  expect(memoryBytes()).toBeGreaterThan(10 * MIB);
  read.mockReturnValue(70 * MIB);
  expect(memoryBytes()).toBe(70 * MIB);
  read.mockImplementation(fail);
  expect(memoryBytes()).toBe(70 * MIB);
});
