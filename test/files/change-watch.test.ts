import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { watchChanges } from '../../src/files/change-watch.ts';
import { NotedReads } from '../../src/files/noted-reads.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** A watch of files whose looks are made when a test says so, and which counts what it tells. */
function watching(...paths: readonly string[]) {
  let next: (() => void) | undefined;
  let armed: (() => void) | undefined;
  const timers = {
    setIdleTimer: (_ms: number, fire: () => void) => {
      next = fire;
      armed?.();
      return 0;
    },
    clearTimer: () => undefined,
  };
  let told = 0;
  const reads = new NotedReads();
  for (const path of paths) reads.read(path);
  const watch = watchChanges(timers, () => {
    told += 1;
  });
  watch.follow(reads.states);
  onTestFinished(() => watch.stop());
  const look = async (): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    armed = resolve;
    // The first look makes itself.
    next?.();
    await promise;
  };
  return {
    watch,
    told: () => told,
    look: async (times = 1): Promise<number> => {
      for (let looks = 0; looks < times; looks++) await look();
      return told;
    },
  };
}

function file(name: string, text = 'one'): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, text);
  return path;
}

test('a pipe is read once, and not watched', () => {
  const first = new NotedReads();
  expect(first.read('/dev/null')).toBe('');
  expect(first.states.size).toBe(0);
  expect(() => new NotedReads(true).read('/dev/null')).toThrow(expect.objectContaining({ code: 'NOT_A_FILE' }));
});

describe('files that are watched', () => {
  test('are told of once when they have changed, after two looks alike', async () => {
    const path = file('a.yaml');
    const { look } = watching(path);
    expect(await look(3)).toBe(0);
    writeFileSync(path, 'two, and longer');
    expect(await look(1)).toBe(0);
    expect(await look(1)).toBe(1);
    expect(await look(5)).toBe(1);
  });

  test('are not told of while somebody writes them', async () => {
    const path = file('a.yaml');
    const { look } = watching(path);
    for (const text of ['t', 'tw', 'two, a', 'two, and more']) {
      writeFileSync(path, text);
      expect(await look()).toBe(0);
    }
    expect(await look()).toBe(1);
  });

  test('are told of when a rename puts another file in their place, and when they are gone and come back', async () => {
    const path = file('a.yaml');
    const { look } = watching(path);
    await look(2);
    writeFileSync(`${path}.new`, 'one');
    renameSync(`${path}.new`, path);
    expect(await look(2)).toBe(1);
    rmSync(path);
    expect(await look(3)).toBe(2);
    writeFileSync(path, 'one');
    expect(await look(3)).toBe(3);
  });

  test('are told of when a link on the way to them is changed, as Kubernetes does', async () => {
    const folder = temporaryFolder();
    for (const version of ['..1', '..2']) {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, 'key'), version);
      utimesSync(join(folder, version, 'key'), 1, 1);
    }
    symlinkSync('..1', join(folder, '..data'));
    symlinkSync(join('..data', 'key'), join(folder, 'key'));
    const { look } = watching(join(folder, 'key'));
    await look(2);
    symlinkSync('..2', join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    expect(await look(2)).toBe(1);
  });

  test('are told of once where several change together', async () => {
    const [one, other] = [file('a.yaml'), file('b.yaml')];
    const { look } = watching(one, other);
    writeFileSync(one, 'two and more');
    writeFileSync(other, 'two and more');
    expect(await look(4)).toBe(1);
  });

  test('are told of though they have changed before they were first looked at', async () => {
    const path = file('a.yaml');
    const reads = new NotedReads();
    reads.read(path);
    writeFileSync(path, 'two, before anybody watches');
    const { watch, look } = watching(path);
    watch.follow(reads.states);
    expect(await look(3)).toBe(1);
  });
});
