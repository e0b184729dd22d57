import { describe, expect, it } from 'vitest';

import { cell, columnOf } from './columns.ts';
import type { Figures } from './figures.ts';
import { tableOf } from './tables.ts';

const ACCOUNT = {
  requests: 10,
  success: 1,
  firstOutputP50Ms: 400,
  firstOutputP99Ms: undefined,
  callsPerRequest: 1,
  wastedTokens: 0,
  deadSeconds: undefined,
  silentMs: undefined,
  leftWell: 0,
  heldOffWellMs: undefined,
  failsForMs: undefined,
  awayForMs: undefined,
  corrupted: 0,
};

function seed(requests: number, success: number): Figures {
  return { seed: requests, requests, mostAtATime: 3, policies: { 'Portkey-like': { ...ACCOUNT, success } } };
}

describe('a cell', () => {
  it('is the mean of the seeds, with half of the range that they lie in where that can be seen', () => {
    expect(cell(columnOf('success'), [0.99, 1, 0.98])).toBe('99.0 ± 1.0 %');
    expect(cell(columnOf('success'), [0.9999, 1])).toBe('100.0 %');
    expect(cell(columnOf('firstOutputP99Ms'), [1_000, 3_000, 1_400])).toBe('1.8 ± 1.0 s');
    expect(cell(columnOf('callsPerRequest'), [1.25])).toBe('1.25');
    expect(cell(columnOf('firstOutputP50Ms'), [])).toBe('none');
  });
});

describe('a table', () => {
  it('leaves out the columns in which there is nothing to see, but where waits count shows that nobody was left who was well', () => {
    const table = tableOf({ name: 'test', models: 'Something happens.', isOfWaits: true }, [seed(9, 1), seed(11, 0.5)]);
    expect(table.split('\n')).toEqual([
      '### test',
      '',
      'Something happens. 9 to 11 requests, up to 3 at a time.',
      '',
      '| policy       |       success | first output p50 | calls/request | left though well |',
      '| ------------ | ------------: | ---------------: | ------------: | ---------------: |',
      '| Portkey-like | 75.0 ± 25.0 % |            0.4 s |          1.00 |                0 |',
      '',
    ]);
    const other = tableOf({ name: 'test', models: '', isOfWaits: false }, [seed(9, 1)]);
    expect(other).not.toContain('left though well');
  });
});
