import { expect, it } from 'vitest';

import { LearntQuirks } from '../../src/targets/learnt-quirks.ts';

it('what a target refuses is remembered by model, in sets that never change', () => {
  const quirks = new LearntQuirks();
  const before = quirks.of('a');
  quirks.learn('a', 'no store');
  const after = quirks.of('a');
  quirks.learn('a', 'no include');
  quirks.learn('a', 'no include');
  expect([...before]).toEqual([]);
  expect([...after]).toEqual(['no store']);
  expect([...quirks.of('a')]).toEqual(['no store', 'no include']);
  expect([...quirks.of('b')]).toEqual([]);
});

it('of more models than are remembered all are forgotten', () => {
  const quirks = new LearntQuirks();
  for (let model = 0; model < 256; model += 1) quirks.learn(`model-${model}`, 'no store');
  quirks.learn('model-0', 'no include');
  expect([...quirks.of('model-0')]).toEqual(['no store', 'no include']);
  quirks.learn('one-more', 'no store');
  expect([...quirks.of('model-0')]).toEqual([]);
  expect([...quirks.of('one-more')]).toEqual(['no store']);
});
