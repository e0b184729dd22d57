import { expect, test } from 'vitest';

import type { ConfigEvent } from '../../../src/config/port/config-event.ts';
import { createCallLog } from '../../../src/telemetry/logging/log.ts';
import { failedEnd, okEnd } from '../ends.ts';

function linesOf(event: ConfigEvent): readonly (readonly unknown[])[] {
  const lines: string[] = [];
  createCallLog({ write: (line) => lines.push(line), wall: () => 0 }).configHappened(event);
  return lines.map((line) => {
    const told: Record<string, unknown> = JSON.parse(line);
    return Object.keys(told).flatMap((field) => (field === 'time' ? [] : [told[field]]));
  });
}

test('a reload has a line for each change, setting that needs a restart, and warning', () => {
  const read = {
    kind: 'read',
    changed: ['target a added'],
    needRestart: ['ledger'],
    warnings: ['be careful'],
  } as const;
  expect(linesOf(read)).toEqual([
    ['info', 'target a added', 'the configuration was read again, and has changed'],
    ['warn', 'ledger', 'a changed setting holds from the next start on'],
    ['warn', 'warning: be careful'],
  ]);
  expect(linesOf({ kind: 'read', changed: [], needRestart: [], warnings: [] })).toEqual([
    ['info', 'the configuration was read again, and is as it was'],
  ]);
  expect(linesOf({ kind: 'started' })).toEqual([]);
});

test('a configuration that cannot be used has an error for each problem, and not more than anybody reads', () => {
  const message = 'the configuration cannot be used: what held before stays';
  expect(linesOf({ kind: 'refused', problems: ['retry.order: must be x'] })).toEqual([
    ['error', 'retry.order: must be x', message],
  ]);
  const many = linesOf({ kind: 'refused', problems: Array.from({ length: 500 }, (_, index) => `problem ${index}`) });
  expect([many.length, many.at(-1)]).toEqual([51, ['error', 'and 450 more', message]]);
});

test('other calls have a line once the configuration wants others, and reloads have theirs at any level', () => {
  const lines: string[] = [];
  const random = () => 0.5;
  const write = (line: string) => lines.push(...line.trim().split('\n'));
  const log = createCallLog({ write, wall: () => 0, level: 'info', random, defer: (work) => work() });
  const told = (): readonly unknown[] => lines.splice(0).map((line) => JSON.parse(line).msg);
  log.configure({ level: 'info', goodShare: 0.1 });
  log.callEnded(okEnd());
  log.callEnded(failedEnd());
  expect(told()).toHaveLength(1);
  log.configure({ level: 'error', goodShare: 1 });
  log.info('a sentence');
  log.callEnded(okEnd());
  log.configHappened({ kind: 'read', changed: ['log changed: level'], needRestart: [], warnings: [] });
  expect(told()).toEqual(['the configuration was read again, and has changed']);
});
