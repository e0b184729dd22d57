import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, realpathSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.ts';

const run = promisify(execFile);
const MODULE = new URL('../../src/cli/compile-cache.ts', import.meta.url).href;
const PROGRAM = `
  import { getCompileCacheDir } from 'node:module';
  const { useCompileCache } = await import(${JSON.stringify(MODULE)});
  const keep = useCompileCache(process.env);
  await import(${JSON.stringify(new URL('../../src/core/calendar.ts', import.meta.url).href)});
  keep();
  console.log(getCompileCacheDir() ?? 'off');
`;

/** Where a process with this environment keeps what it compiles, or `off`. */
async function cacheOf(env: Readonly<Record<string, string>>): Promise<string> {
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', PROGRAM], { env });
  expect(stderr).toBe('');
  return stdout.trim();
}

function folder(): string {
  return realpathSync(temporaryFolder());
}

describe.skipIf(process.platform === 'win32')('what V8 compiles', () => {
  test('is kept in a folder for this user alone, within that for caches', async () => {
    const home = folder();
    const kept = await cacheOf({ XDG_CACHE_HOME: join(home, 'caches') });
    expect(kept.startsWith(`${home}/caches/understudy/`)).toBe(true);
    expect(statSync(join(home, 'caches/understudy')).mode & 0o777).toBe(0o700);
    expect(readdirSync(kept).length).toBeGreaterThan(0);
  });

  test.skipIf(process.platform === 'darwin')(
    'is kept in .cache of the home where no other folder is named',
    async () => {
      const home = folder();
      expect(await cacheOf({ HOME: home })).toContain(`${home}/.cache/understudy/`);
      expect(await cacheOf({ HOME: home, XDG_CACHE_HOME: '' })).toContain(`${home}/.cache/understudy/`);
    },
  );

  test('is not kept where nothing can be written, and nothing is said of it', async () => {
    const home = folder();
    writeFileSync(join(home, 'file'), '');
    expect(await cacheOf({ XDG_CACHE_HOME: join(home, 'file') })).toBe('off');
    expect(await cacheOf({ XDG_CACHE_HOME: '/proc/none' })).toBe('off');
  });

  test('is not kept, nor taken, where others can read, write or put another folder', async () => {
    const open = folder();
    mkdirSync(join(open, 'understudy'), { mode: 0o755 });
    expect(await cacheOf({ XDG_CACHE_HOME: open })).toBe('off');
    expect(readdirSync(join(open, 'understudy'))).toEqual([]);

    const above = folder();
    mkdirSync(join(above, 'shared/caches'), { recursive: true });
    chmodSync(join(above, 'shared'), 0o777);
    expect(await cacheOf({ XDG_CACHE_HOME: join(above, 'shared/caches') })).toBe('off');
    chmodSync(join(above, 'shared'), 0o1777);
    expect(await cacheOf({ XDG_CACHE_HOME: join(above, 'shared/caches') })).not.toBe('off');

    const linked = folder();
    symlinkSync(join(open, 'understudy'), join(linked, 'understudy'));
    expect(await cacheOf({ XDG_CACHE_HOME: linked })).toBe('off');
  });

  test('is kept where Node is told to, or not at all', async () => {
    const [home, told] = [folder(), folder()];
    expect(await cacheOf({ XDG_CACHE_HOME: home, NODE_COMPILE_CACHE: told })).toContain(told);
    expect(await cacheOf({ XDG_CACHE_HOME: home, NODE_DISABLE_COMPILE_CACHE: '1' })).toBe('off');
    expect(readdirSync(home)).toEqual([]);
  });
});
