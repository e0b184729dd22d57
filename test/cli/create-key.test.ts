import { hash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { createKey } from '../../src/cli/create-key.ts';
import { parseKeysFile } from '../../src/config/file/keys-file.ts';

const NOW = Date.UTC(2026, 10, 30);
const rules = { label: 'keys.yaml', callers: new Set(['billing']), taken: new Map<string, string>() };

describe('understudy keys create', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'understudy-key-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  test('prints the key once, and the line with its digest', () => {
    const { stdout, stderr } = createKey({ caller: 'billing', expires: '90d', name: "Ann's {x}: y" }, NOW);
    const key = stdout.trim();
    expect(key).toMatch(/^us_[\w-]{43}$/);
    expect(stderr).not.toContain(key);
    const line = stderr.split('\n').find((each) => each.startsWith('- { caller')) ?? '';
    expect(parseKeysFile(line, rules)).toEqual([
      { caller: 'billing', sha256: hash('sha256', key), expiresAtMs: NOW + 90 * 86_400_000 },
    ]);
    expect(createKey({ caller: 'billing' }, NOW).stdout).not.toBe(stdout);
  });

  test('adds to a file of keys, which only its owner can read where it is new', () => {
    const file = join(folder, 'keys.yaml');
    createKey({ caller: 'billing', file }, NOW);
    createKey({ caller: 'billing', file, expires: '2030-01-31T12:00:00Z' }, NOW);
    expect(parseKeysFile(readFileSync(file, 'utf8'), rules)).toHaveLength(2);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    writeFileSync(file, '[]');
    createKey({ caller: 'billing', file }, NOW);
    expect(parseKeysFile(readFileSync(file, 'utf8'), rules)).toHaveLength(1);
  });

  test.each([
    [{ caller: 'a b' }, '--caller must be'],
    [{ caller: 'a', expires: '2020-01-01T00:00:00Z' }, '--expires must be an instant to come'],
    [{ caller: 'a', expires: 'soon' }, '--expires must be an instant to come'],
    [{ caller: 'a', name: '\n' }, '--name must be'],
    [{ caller: 'a', file: '/nowhere/keys.yaml' }, '--file cannot be written (ENOENT)'],
  ])('refuses %j', (flags, message) => {
    expect(() => createKey(flags, NOW)).toThrow(message);
  });
});
