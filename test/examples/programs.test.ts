import { resolve } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { run } from '../../clients/typescript/test/support/packed-package.ts';
import type { UnderstudyProcess } from '../support/understudy-process.ts';
import { startUnderstudy } from '../support/understudy-process.ts';

const ROOT = new URL('../..', import.meta.url);

/** Runs an example as its first lines say, and returns the lines that it prints. */
async function example(name: string, ...args: readonly string[]): Promise<readonly string[]> {
  const { stdout, stderr } = await run('npm', ['run', '--silent', 'example', `examples/${name}`, ...args], {
    cwd: ROOT,
  });
  expect(stderr).toBe('');
  return stdout.trimEnd().split('\n');
}

describe('the examples', () => {
  let gateway: UnderstudyProcess;
  let address: string;

  beforeAll(async () => {
    gateway = startUnderstudy(['--demo', '--config', resolve('examples/failover.yaml')]);
    address = (await gateway.doors).grpc;
  });

  afterAll(() => gateway.close());

  test('failover.ts prints the answer of the second target, and what was tried', async () => {
    const [answer, ...trail] = await example('failover.ts', address);
    expect(answer).toMatch(/^understudy: \w+ \w+/);
    expect(trail).toEqual([
      '1. FIRST lead: PROVIDER_UNAVAILABLE',
      '2. RETRY lead: PROVIDER_UNAVAILABLE',
      '3. FAILOVER understudy: OK',
    ]);
  });

  test('restart.ts discards what broke off, and prints the whole answer once', async () => {
    const [restarted = '', answer = '', ...rest] = await example('restart.ts', address);
    const [, discarded = ''] = /^understudy begins anew; discarded: (.+)$/.exec(restarted) ?? [];
    const [, whole = ''] = /^understudy: (.+)$/.exec(answer) ?? [];
    expect(rest).toEqual([]);
    expect(discarded.length).toBeGreaterThan(10);
    // The mock has one answer for a question, so the broken answer is the beginning of the whole one.
    expect(whole.startsWith(discarded)).toBe(true);
    expect(whole.length).toBeGreaterThan(discarded.length);
  });

  test('embedding.ts answers without any server, whole and as a stream', async () => {
    const [whole, streamed, ...rest] = await example('embedding.ts');
    expect(whole).toMatch(/^understudy, [1-9]\d* tokens: \w+ \w+/);
    expect(streamed).toMatch(/^\w+ \w+/);
    expect(rest).toEqual([]);
  });
});
