import { expect, test } from 'vitest';
import { collectViolations } from '../../../src/server/port/violations.ts';

test('checks end with the twentieth finding', () => {
  let checked = 0;
  const found = collectViolations((report) => {
    for (let index = 0; index < 1_000; index += 1) {
      checked += 1;
      report(`messages[${index}]`, 'must be something');
    }
  });
  expect([checked, found.length, found.at(-1)?.field]).toEqual([20, 20, 'messages[19]']);
});

test('what a check throws by itself comes through', () => {
  const fault = new Error('a fault');
  expect(() =>
    collectViolations(() => {
      throw fault;
    }),
  ).toThrow(fault);
});
