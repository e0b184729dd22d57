import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { describe, test } from 'vitest';

import { startUnderstudy } from '../support/understudy-process.ts';

type Context = Pick<TestContext, 'expect' | 'onTestFinished'>;

/** Waits for a process that will not start, and returns the lines that it leaves behind. */
async function refusal(
  { expect, onTestFinished }: Context,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  code = 1,
): Promise<readonly string[]> {
  const child = startUnderstudy(args, env);
  onTestFinished(() => child.close());
  expect(await child.ended).toEqual({ code, signal: null });
  expect(child.stdout()).toBe('');
  expect(child.stderr()).not.toMatch(/^ +at /m);
  return child.stderr().trimEnd().split('\n');
}

async function configFile({ onTestFinished }: Context, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'understudy.yaml');
  await writeFile(path, text);
  return path;
}

// Processes take their time to start; together they take less.
describe.concurrent('what the process refuses to start with, in one line', () => {
  test('a bad field in the config file, named with its value', async (context) => {
    const { expect } = context;
    const path = await configFile(context, 'targets:\n  - { name: lead, provider: openaj, api_key: sk-1 }\n');
    const lines = await refusal(context, ['--config', path]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('targets[0].provider');
    expect(lines[0]).toContain('openaj');
  });

  test('a variable that the config file needs and nobody has set', async (context) => {
    const { expect } = context;
    const path = await configFile(context, 'targets:\n  - { name: lead, provider: openai, api_key: "${LEAD_KEY}" }\n');
    const lines = await refusal(context, [], { UNDERSTUDY_CONFIG: path });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('LEAD_KEY');
  });

  test('a flag that does not exist', async (context) => {
    const { expect } = context;
    expect(await refusal(context, ['--dmeo'], {}, 2)).toEqual([expect.stringContaining('--dmeo')]);
  });

  test('a public address that nobody guards', async (context) => {
    const { expect } = context;
    const lines = await refusal(context, ['--demo'], { UNDERSTUDY_GRPC_ADDRESS: '0.0.0.0:0' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^UNDERSTUDY_GRPC_ADDRESS: .*allow_unauthenticated/);
  });

  test.for(['UNDERSTUDY_GRPC_ADDRESS', 'UNDERSTUDY_HTTP_ADDRESS'])(
    'an address in %s that is taken',
    async (variable, context) => {
      const { expect, onTestFinished } = context;
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      onTestFinished(() => void server.close());
      const bound = server.address();
      const port = typeof bound === 'object' ? String(bound?.port) : '';
      const lines = await refusal(context, ['--demo'], { [variable]: `127.0.0.1:${port}` });
      // grpc-js says something of its own before.
      expect(lines.at(-1)).toBe(`listen EADDRINUSE: address already in use 127.0.0.1:${port}`);
    },
  );

  test('but not a public address where something else is said to guard it', async ({ expect, onTestFinished }) => {
    const child = startUnderstudy(['--demo'], {
      UNDERSTUDY_GRPC_ADDRESS: '0.0.0.0:0',
      UNDERSTUDY_ALLOW_UNAUTHENTICATED: '1',
    });
    onTestFinished(() => child.close());
    expect((await child.doors).grpc).toMatch(/^0\.0\.0\.0:[1-9]/);
  });
});
