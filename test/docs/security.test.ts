import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { blocksOf } from '../clients/snippets/blocks.ts';
import { runCommand } from '../support/command-run.ts';
import { readFromRoot } from '../support/doc-tables.ts';
import { openRpcClient } from '../support/rpc-client.ts';
import { startUnderstudy } from '../support/understudy-process.ts';

test('the command of the page makes a key that the doors take, which stands nowhere but where it was printed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-security-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const config = join(folder, 'understudy.yaml');
  writeFileSync(
    config,
    'targets: [{ name: mock, provider: mock }]\ncallers: [{ name: billing }]\napi_keys_file: keys.yaml',
  );
  const commands = blocksOf(readFromRoot('docs/security.md')).filter(({ language }) => language === 'sh');
  const [command = ''] = commands.map(({ code }) => code.replace(/ +#.*/, '').trim());
  expect(command).toContain('understudy keys create');
  const words = command.split(' ').slice(1);
  const { status, stdout, stderr } = await runCommand(
    words.map((word) => (word === 'keys.yaml' ? join(folder, word) : word)),
  );
  const key = stdout.trim();
  expect([status, key]).toEqual([0, expect.stringMatching(/^us_[\w-]{43}$/)]);
  const gateway = startUnderstudy(['--config', config, '--log-format', 'text']);
  onTestFinished(() => gateway.close());
  const client = openRpcClient((await gateway.doors).grpc);
  onTestFinished(() => client.close());
  const { text } = await client.call(
    LlmService.method.generate,
    { prompt: 'Hello' },
    { metadata: { authorization: `Bearer ${key}` } },
  );
  expect(text).not.toBe('');
  expect(stderr + gateway.stdout() + gateway.stderr()).not.toContain(key);
});
