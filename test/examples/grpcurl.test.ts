import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { run } from '../../clients/typescript/test/support/packed-package.ts';
import type { UnderstudyProcess } from '../support/understudy-process.ts';
import { startUnderstudy } from '../support/understudy-process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const README = readFileSync(`${ROOT}README.md`, 'utf8');
const COMMANDS = README.split('\n').filter((line) => line.startsWith('grpcurl '));
/** `go install` puts programs where a shell may not look. */
const env = { ...process.env, PATH: [process.env['PATH'], `${homedir()}/go/bin`].join(delimiter) };

/** What is looked at of an answer of Chat, as grpcurl prints it. */
interface Answer {
  readonly finishReason: string;
  readonly text?: string;
  readonly message: { readonly content: readonly { readonly toolCall?: { readonly argumentsJson: string } }[] };
  readonly warnings?: unknown;
}

function argumentsOf({ message }: Answer): unknown {
  return JSON.parse(message.content[0]?.toolCall?.argumentsJson ?? '');
}

function isInstalled(): boolean {
  try {
    execFileSync('grpcurl', ['-version'], { env, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!isInstalled())('with grpcurl (skipped where it is not installed)', () => {
  let gateway: UnderstudyProcess;
  let address: string;

  beforeAll(async () => {
    gateway = startUnderstudy(['--demo'], { UNDERSTUDY_MOCK: '1' });
    address = (await gateway.doors).grpc;
  });

  afterAll(() => gateway.close());

  test('examples/grpcurl.sh calls everything, and shows the field that is wrong', async () => {
    const { stdout, stderr } = await run('examples/grpcurl.sh', [address], { cwd: ROOT, env });
    expect(stdout.match(/^== .*$/gm)).toEqual([
      '== The services',
      '== What Generate takes',
      '== Generate',
      '== Chat',
      '== StreamChat',
      '== Health',
      '== ListModels',
      '== Health of the process',
      '== Health of the service',
      '== Generate',
    ]);
    for (const text of [
      'understudy.v1.LlmService',
      '"finished": {',
      '"defaultOfTarget": true',
      '"status": "SERVING"',
    ]) {
      expect(stdout).toContain(text);
    }
    expect(stdout).toMatch(/^grpcurl ended with 67$/m);
    expect(stderr).toContain('"field": "options.temperature"');
  });

  test('every call of the README is answered', async () => {
    expect(COMMANDS.length).toBeGreaterThan(8);
    for (const command of COMMANDS) {
      const here = command.replace('127.0.0.1:50051', address);
      const { stdout } = await run('bash', ['-c', here], { env });
      expect(stdout, command).toMatch(/^\{/);
    }
  });

  test('what the README says of tools and of schemas is answered in kind', async () => {
    const answerTo = async (text: string): Promise<Answer> => {
      const command = COMMANDS.find((line) => line.includes(text)) ?? '';
      const { stdout } = await run('bash', ['-c', command.replace('127.0.0.1:50051', address)], { env });
      return JSON.parse(stdout) as Answer;
    };
    const called = await answerTo('"tools"');
    expect(called).toMatchObject({ finishReason: 'FINISH_REASON_TOOL_CALLS' });
    expect(called.message.content).toEqual([{ toolCall: expect.objectContaining({ name: 'weather' }) }]);
    expect(argumentsOf(called)).toEqual({ city: expect.any(String) });
    const told = await answerTo('"json_schema"');
    expect(told.finishReason).toBe('FINISH_REASON_STOP');
    expect(JSON.parse(told.text ?? '')).toEqual({ city: expect.any(String) });
    expect(told.warnings).toBeUndefined();
  });
});
