import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { changedSources } from './mutants/changed-sources.ts';

describe('the files whose mutants are tried', () => {
  let root = '';

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'understudy-changed-'));
    mkdirSync(join(root, 'src/engine'), { recursive: true });
    git('init', '--quiet', '--initial-branch', 'main');
    commit('src/engine/a.ts', 'one');
    commit('src/engine/b.ts', 'one');
  });

  afterEach(() => {
    rmSync(root, { recursive: true, force: true });
  });

  it('are those of the last commit where there is no other branch to compare with', () => {
    expect(changedSources(root)).toEqual(new Set(['engine/b.ts']));
  });

  it('are those of the last commit on origin/main itself', () => {
    git('update-ref', 'refs/remotes/origin/main', 'HEAD');
    expect(changedSources(root)).toEqual(new Set(['engine/b.ts']));
  });

  it('are those that differ from where the branch left origin/main', () => {
    git('update-ref', 'refs/remotes/origin/main', 'HEAD');
    commit('src/engine/c.ts', 'one');
    commit('src/engine/a.ts', 'two');
    commit('readme.md', 'not a source');
    expect(changedSources(root)).toEqual(new Set(['engine/a.ts', 'engine/c.ts']));
  });

  it('are also those that are not committed yet', () => {
    writeFileSync(join(root, 'src/engine/a.ts'), 'two');
    expect(changedSources(root)).toEqual(new Set(['engine/a.ts', 'engine/b.ts']));
  });

  it('are all where the checkout has no commit but the last', () => {
    const shallow = join(root, 'shallow');
    git('clone', '--quiet', '--depth', '1', `file://${root}`, shallow);
    expect(changedSources(shallow)).toEqual(new Set(['engine/a.ts', 'engine/b.ts']));
  });

  function git(...args: readonly string[]): void {
    const who = ['-c', 'user.name=test', '-c', 'user.email=test@localhost', '-c', 'commit.gpgsign=false'];
    execFileSync('git', [...who, ...args], { cwd: root, stdio: 'ignore' });
  }

  function commit(path: string, text: string): void {
    writeFileSync(join(root, path), text);
    git('add', '.');
    git('commit', '--quiet', '--message', `write ${path}`);
  }
});
