import { expect, it } from 'vitest';

import { OperatorSwitch } from '../../../src/engine/target/operator-switch.ts';

it('a wish is for one circuit, or for all that have none of their own', () => {
  const wishes = new OperatorSwitch();
  expect([wishes.of('m'), wishes.word]).toEqual(['AUTOMATIC', undefined]);
  wishes.set('OPEN', 'm');
  expect([wishes.of('m'), wishes.of('n'), wishes.of(), wishes.word]).toEqual([
    'OPEN',
    'AUTOMATIC',
    'AUTOMATIC',
    'forced',
  ]);
  wishes.set('AUTOMATIC', 'm');
  expect([wishes.of('m'), wishes.word]).toEqual(['AUTOMATIC', undefined]);
});

it('a wish for all takes the place of those for single ones, which may differ again later', () => {
  const wishes = new OperatorSwitch();
  wishes.set('OPEN', 'm');
  wishes.set('CLOSED');
  expect([wishes.of('m'), wishes.of('n')]).toEqual(['CLOSED', 'CLOSED']);
  wishes.set('AUTOMATIC', 'm');
  expect([wishes.of('m'), wishes.of('n'), wishes.word]).toEqual(['AUTOMATIC', 'CLOSED', 'forced']);
});

it('a target that is disabled is so with all its circuits, until it is no more', () => {
  const wishes = new OperatorSwitch();
  wishes.set('DISABLED');
  wishes.set('CLOSED', 'm');
  expect([wishes.of('m'), wishes.word]).toEqual(['DISABLED', 'disabled']);
  wishes.clear();
  expect([wishes.of('m'), wishes.word, [...wishes.named]]).toEqual(['AUTOMATIC', undefined, []]);
});
