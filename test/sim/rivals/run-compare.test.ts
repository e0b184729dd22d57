import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

const TOOL = fileURLToPath(new URL('run-compare.ts', import.meta.url));

/** Runs the tool to its end. */
function compare(...options: readonly string[]): Promise<{ status: unknown; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [TOOL, ...options], (error, out, err) => {
      resolve({ status: error === null ? 0 : error.code, out, err });
    });
  });
}

describe('the tool that compares', () => {
  it('refuses what makes no sense before it lives anything through', async () => {
    const refused = [
      ['--seeds', '5-1'],
      ['--seed', 'x'],
      ['--seed', '1', '--seeds', '1-5'],
      ['--scenario', 'no-such'],
      ['--write', '--seeds', '1-3'],
      ['--write', '--seeds', '1-5', '--scenario', 'herd'],
      ['--against', 'no-such-file.json', '--seeds', '1-5'],
    ];
    const ends = await Promise.all(refused.map((options) => compare(...options)));
    expect(ends.map(({ status, out }) => [status, out])).toEqual(refused.map(() => [1, '']));
  });

  it('ends with 2 where a row of the engine was better before, and names it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'compare-'));
    try {
      const before = join(folder, 'before.json');
      const better = { Understudy: { success: 1, firstOutputP99Ms: 100 } };
      const seeds = [1, 2, 3].map((seed) => ({ seed, requests: 1, mostAtATime: 1, policies: better }));
      writeFileSync(before, JSON.stringify({ 'slow-drift': seeds }));
      const { status, out } = await compare('--scenario', 'slow-drift', '--seeds', '1-3', '--against', before);
      expect(out).toContain('### slow-drift');
      const [, verdict = ''] = out.split('## Rows of Understudy that were better before');
      expect(verdict).toMatch(/^- slow-drift, Understudy, before: p99 0\.1 s against \d/m);
      expect(status).toBe(2);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
