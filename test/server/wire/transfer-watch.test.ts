import { describe, expect, test } from 'vitest';
import { type Patience, Progress, TransferWatch } from '../../../src/server/wire/transfer-watch.ts';
import { createVirtualSystem } from '../../support/virtual-system.ts';

function watching(limitMs: number, world: { isTight: boolean } = { isTight: false }) {
  const system = createVirtualSystem();
  const watch = new TransferWatch(system, limitMs, () => world.isTight);
  const looks: { readonly atMs: number; readonly patience: Patience }[] = [];
  const transfer = { check: (nowMs: number, patience: Patience) => void looks.push({ atMs: nowMs, patience }) };
  return { system, watch, looks, transfer };
}

describe('the watch', () => {
  test('looks once a second while something is under way, and then no more', async () => {
    const { system, watch, looks, transfer } = watching(60_000);
    const place = watch.add(transfer);
    await system.advance(3_000);
    expect(looks).toHaveLength(3);
    watch.remove(place);
    await system.advance(10_000);
    expect(looks).toHaveLength(3);
    watch.add(transfer);
    await system.advance(1_000);
    expect(looks).toHaveLength(4);
  });

  test('looks more often where the limit is short', async () => {
    const { system, watch, looks, transfer } = watching(200);
    watch.add(transfer);
    await system.advance(200);
    expect(looks).toHaveLength(4);
  });

  test('waits less for what stands still where there is no room', async () => {
    const world = { isTight: false };
    const { system, watch, looks, transfer } = watching(60_000, world);
    watch.add(transfer);
    await system.advance(1_000);
    world.isTight = true;
    await system.advance(1_000);
    expect(looks.map(({ patience }) => patience)).toEqual([
      { limitMs: 60_000, stallMs: 60_000 },
      { limitMs: 60_000, stallMs: 5_000 },
    ]);
  });
});

describe('progress', () => {
  test('is over when the limit is reached, however it moves', () => {
    const progress = new Progress(1_000);
    const patience = { limitMs: 3_000, stallMs: 2_000 };
    expect(progress.isOver(2_000, 1, patience)).toBe(false);
    expect(progress.isOver(3_999, 2, patience)).toBe(false);
    expect(progress.isOver(4_000, 3, patience)).toBe(true);
  });

  test('is over when nothing moves', () => {
    const progress = new Progress(1_000);
    const patience = { limitMs: 60_000, stallMs: 2_000 };
    expect(progress.isOver(2_000, 1, patience)).toBe(false);
    expect(progress.isOver(3_999, 1, patience)).toBe(false);
    expect(progress.isOver(4_000, 1, patience)).toBe(true);
  });
});
