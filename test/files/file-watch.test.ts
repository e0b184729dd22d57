import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { watchFile } from '../../src/files/file-watch.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test('a file that is replaced is told of within a second by the times of the looks, however late in a turn that was', async () => {
  const path = join(temporaryFolder(), 'keys.yaml');
  writeFileSync(path, 'old');
  let next = { ms: 0, fire: (): void => undefined };
  let armed = Promise.withResolvers<void>();
  const timers = {
    setIdleTimer: (ms: number, fire: () => void) => {
      next = { ms, fire };
      armed.resolve();
      return 0;
    },
    clearTimer: () => undefined,
  };
  const told: string[] = [];
  const events = { changed: (text: string) => void told.push(text), unreadable: () => undefined };
  onTestFinished(watchFile(path, timers, events, true));
  await armed.promise;
  expect(told).toEqual(['old']);
  writeFileSync(`${path}.new`, 'new');
  renameSync(`${path}.new`, path);
  let waitedMs = 0;
  while (told.length === 1 && waitedMs <= 1_000) {
    const { ms, fire } = next;
    waitedMs += ms;
    armed = Promise.withResolvers<void>();
    fire();
    await armed.promise;
  }
  expect(told).toEqual(['old', 'new']);
  expect(waitedMs).toBeLessThan(1_000);
});
