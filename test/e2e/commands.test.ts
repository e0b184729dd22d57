import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env as environment, execPath } from 'node:process';
import { text } from 'node:stream/consumers';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { addressOf, hasTerminals, runCommand, startCommand, startOnTerminal } from '../support/command-run.ts';
import type { UnderstudyProcess } from '../support/understudy-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startUnderstudy } from '../support/understudy-process.ts';
import packageJson from '../../package.json' with { type: 'json' };

const TARGETS = [
  { name: 'lead', provider: 'mock' },
  { name: 'second', provider: 'mock' },
  { name: 'refused', provider: 'mock', model: 'mock-401' },
];
const ROUTES = [
  { name: 'default', targets: ['lead'] },
  { name: 'broken', targets: ['lead/mock-stream-cut', 'second'] },
];

const KEYED = { targets: [{ name: 'lead', provider: 'openai', api_key: '${LEAD_KEY}' }] };

let gateway: UnderstudyProcess;
let folder: string;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-'));
  gateway = startUnderstudy(['serve', '--config', await file('own.json', { targets: TARGETS, routes: ROUTES })]);
  env = await addressOf(gateway);
});

afterAll(async () => {
  await gateway.close();
  await rm(folder, { recursive: true });
});

/** Writes a file, JSON where it is no text, and returns its path. */
async function file(name: string, content: unknown): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const run = async (args: readonly string[], input?: string | Buffer) =>
  runCommand(args, { env, ...(input !== undefined && { input }) });

/** Resolves when the gateway has logged that the call of this id was cancelled. */
async function loggedCancel(requestId: string): Promise<void> {
  const method = '"rpc.method":"understudy.v1.LlmService/StreamChat"';
  await gateway.printed(`"understudy.request_id":"${requestId}",${method},"rpc.status_code":"CANCELLED"`);
}

// Processes take their time to start; together they take less.
describe.concurrent('generate and chat', () => {
  test('answer the prompt in the arguments, and nothing else on standard output', async () => {
    for (const name of ['generate', 'chat']) {
      const { status, stdout, stderr } = await run([name, '-m', 'mock-echo', 'Say', 'hello.']);
      expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'Say hello.\n', stderr: '' });
    }
  });

  test('read standard input without a prompt, or where the prompt says -', async () => {
    expect(await run(['generate', '-m', 'mock-echo'], 'two\nlines\n')).toMatchObject({ stdout: 'two\nlines\n' });
    expect(await run(['chat', '-m', 'mock-echo', 'Look:', '-'], 'grüß\n')).toMatchObject({ stdout: 'Look: grüß\n' });
  });

  test('leave standard input alone where there is a prompt', async () => {
    const command = startCommand(['chat', '-m', 'mock-echo', 'Hi'], { env, open: true });
    expect(await command.ended).toMatchObject({ status: 0, stdout: 'Hi\n' });
  });

  test.each([
    ['an empty prompt', ['generate', ''], 'x', 'the prompt is empty'],
    ['no words on standard input', ['chat'], ' \n', 'the prompt is empty'],
    ['bytes that are no text', ['chat'], Buffer.from([0xc3, 0x28]), 'standard input is not UTF-8 text'],
    [
      'a schema that is not there',
      ['generate', 'x', '--schema', '/nope.json'],
      '',
      'cannot read "/nope.json" (ENOENT)',
    ],
    ['an address that is none', ['health', '-a', 'nowhere'], '', 'must be host:port'],
    ['one half of a pair', ['health', '--cert', 'x.pem'], '', '--cert and --key go together'],
  ])('%s is an error of usage', async (_what, args, input, words) => {
    const { status, stdout, stderr } = await run(args, input);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^understudy \w+: .*\n$/);
    expect(stderr).toContain(words);
  });

  test('print one JSON document, or a line for each event', async () => {
    const whole = await run(['generate', '--json', '-H', 'x-request-id: of-mine', 'Who?']);
    expect(JSON.parse(whole.stdout)).toMatchObject({ requestId: 'of-mine', target: 'lead', usage: {}, attempts: [{}] });
    expect(JSON.parse((await run(['chat', '--no-stream', '--json', 'Who?'])).stdout)).toHaveProperty('message');
    const { stdout } = await run(['chat', '--json', 'Who?']);
    const events: unknown[] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events[0]).toHaveProperty('started');
    expect(events.at(-1)).toHaveProperty('finished');
  });

  test('tell tokens, cost and trail on standard error where they are asked to', async () => {
    for (const name of ['generate', 'chat']) {
      const { stdout, stderr } = await run([name, '-v', '-m', 'mock-max-tokens', 'Who?']);
      expect(stderr).toMatch(/^warning: the answer ends at the limit of tokens$/m);
      expect(stderr).toMatch(/^tokens {2}\d+ in, 12 out$/m);
      expect(stderr).toMatch(/^cost {4}\$0\.0\d+$/m);
      expect(stderr).toMatch(/^1 +first +lead\/mock-max-tokens +ok +200 /m);
      expect(stdout).not.toContain('tokens');
    }
  });

  test('pass flags on as the request has them', async () => {
    const { status, stderr } = await run(['generate', '--temperature', '9', '-r', 'nowhere', 'x']);
    expect(status).toBe(3);
    expect(stderr).toMatch(/^understudy: INVALID_ARGUMENT INVALID_REQUEST: /);
    expect(stderr).toContain('  options.temperature: must be');
    expect(await run(['generate', '-r', 'nowhere', 'x'])).toMatchObject({ status: 3, stdout: '' });
    const short = await run(['generate', '--json', '--max-tokens', '3', '--reasoning-effort', 'none', 'x']);
    expect(JSON.parse(short.stdout)).toMatchObject({
      usage: { outputTokens: 3 },
      finishReason: 'FINISH_REASON_LENGTH',
    });
    const other = await run(['generate', '--json', '-t', 'second/mock-echo', '--system', 'Be brief.', 'x']);
    expect(JSON.parse(other.stdout)).toMatchObject({ target: 'second', model: 'mock-echo', text: 'x' });
  });

  test('ask for JSON of a schema', async () => {
    const path = await file('a city.json', '{"type":"object","required":["city"]}');
    const { stderr, status } = await run(['chat', '--schema', path, '--strict', '-m', 'mock-echo', 'no JSON']);
    expect(stderr).toContain('SCHEMA_MISMATCH');
    expect(status).toBe(4);
    const loose = await run(['generate', '--schema', path, '-m', 'mock-echo', 'no JSON']);
    expect(loose).toMatchObject({ status: 0, stdout: 'no JSON\n', stderr: expect.stringMatching(/^warning: SCHEMA_/) });
    expect(await run(['chat', '--schema', await file('no.json', 'type: object'), 'x'])).toMatchObject({ status: 2 });
  });

  test('show of an answer that begins anew the new one alone', async () => {
    const { stdout: second } = await run(['generate', '-t', 'second', 'Who?']);
    const anew = await run(['chat', '-r', 'broken', '--restart', 'Who?']);
    expect(anew).toMatchObject({ status: 0, stdout: second });
    expect(anew.stderr).toMatch(/^the answer broke off \(PROVIDER_UNAVAILABLE\) and begins anew with second\//);
    const cut = await run(['chat', '-m', 'mock-stream-cut', 'Who?']);
    expect(cut).toMatchObject({ status: 4, stderr: expect.stringContaining('ABORTED STREAM_INTERRUPTED') });
    expect(cut.stdout).toMatch(/\w+\n$/);
  });

  test('look for a gateway again with --retries', async () => {
    const late = ['generate', '-a', '127.0.0.1:1', '--retries', '1', 'x'];
    const { status, stderr } = await run(late);
    expect(status).toBe(4);
    expect(stderr).toMatch(/^understudy: UNAVAILABLE: trying again in 500 ms\n.*no gateway can be reached/);
  });

  test('end at the deadline with 5, with what the gateway says of it', async () => {
    const { status, stderr } = await run(['generate', '-m', 'mock-silence', '--timeout', '3s', 'x']);
    expect(status).toBe(5);
    expect(stderr).toContain('DEADLINE_EXCEEDED DEADLINE');
    expect(stderr).toContain('lead/mock-silence');
  });

  test.each([
    ['no gateway', ['-a', '127.0.0.1:1'], 'no gateway can be reached at 127.0.0.1:1 (ECONNREFUSED)'],
    ['a provider that fails', ['-t', 'refused'], 'PROVIDER_AUTH_FAILED'],
  ])('end with 4 where there is %s', async (_what, args, words) => {
    for (const name of ['generate', 'chat']) {
      const { status, stderr } = await run([name, ...args, 'x']);
      expect({ status, stderr }).toEqual({ status: 4, stderr: expect.stringContaining(words) });
    }
  });

  test('tell errors as JSON where the output is JSON', async () => {
    const { status, stdout, stderr } = await run(['generate', '--json', '-m', 'mock-prompt-blocked', 'x']);
    expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'INVALID_ARGUMENT', reason: 'PROMPT_BLOCKED', mayRetry: false, attempts: [{ target: 'lead' }] },
    });
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s aborts the call and ends with %i', async (signal, status) => {
    const requestId = `interrupted-by-${signal}`;
    const command = startCommand(['chat', '-m', 'mock-stall', '-H', `x-request-id: ${requestId}`, 'x'], { env });
    await command.printed(' ');
    command.kill(signal);
    const ended = await command.ended;
    expect(ended).toMatchObject({ status, stderr: '' });
    await loggedCancel(requestId);
  });

  test('a reader that leaves aborts the call', async () => {
    const args = ['chat', '-m', 'mock-slow', '-H', 'x-request-id: left-by-reader', 'x'];
    const command = startCommand(args, { env });
    command.leave();
    expect((await command.ended).status).toBe(141);
    await loggedCancel('left-by-reader');
  });
});

describe.concurrent('an output that cannot be written', () => {
  const COMMANDS = ['generate x', 'generate --json x', 'chat x', 'health', 'models', 'check --demo', '--help'];

  test.skipIf(!existsSync('/dev/full')).each(COMMANDS)('fails %s', async (words) => {
    const full = openSync('/dev/full', 'w');
    const command = spawn(execPath, ['bin/understudy.js', ...words.split(' ')], {
      env: { PATH: environment['PATH'], ...env },
      stdio: ['ignore', full, 'pipe'],
    });
    closeSync(full);
    const ended = once(command, 'close');
    expect(command.stderr && (await text(command.stderr))).toBe('understudy: the output cannot be written (ENOSPC)\n');
    expect(await ended).toEqual([1, null]);
  });
});

describe.concurrent('health and models', () => {
  test('are tables, and JSON', async () => {
    const health = await run(['health']);
    expect(health).toMatchObject({ status: 0, stderr: '' });
    expect(health.stdout).toMatch(
      new RegExp(`^(?:SERVING|DEGRADED) {2}Understudy ${packageJson.version} at 127.0.0.1:`),
    );
    expect(health.stdout).toMatch(/^second +mock +/m);
    expect(JSON.parse((await run(['health', '--json'])).stdout)).toHaveProperty('providers');
    const models = await run(['models', '-t', 'lead']);
    expect(models.stdout).toMatch(/^lead +mock-ok +\* +mock /m);
    expect(models.stdout).not.toContain('second');
    const listed: unknown = JSON.parse((await run(['models', '--json'])).stdout);
    expect(listed).toMatchObject({ models: expect.arrayContaining([expect.objectContaining({ target: 'second' })]) });
  });

  test('grpc.health.v1 is asked by the name of a service', async () => {
    expect(await run(['health', '--service', 'understudy.target.lead'])).toMatchObject({
      status: 0,
      stdout: 'SERVING\n',
    });
    expect(await run(['health', '--service', 'nobody'])).toMatchObject({ status: 3, stdout: '' });
  });

  test('--watch goes on until it is interrupted', async () => {
    for (const args of [
      ['--interval', '50ms', '--json'],
      ['--service', ''],
    ]) {
      const command = startCommand(['health', '--watch', ...args], { env });
      await command.printed('SERVING');
      command.kill('SIGINT');
      expect(await command.ended).toMatchObject({ status: 130, stderr: '' });
    }
  });

  test('a target that cannot be used is a failure where it is told to be', async () => {
    expect(await run(['generate', '-t', 'refused', 'x'])).toMatchObject({ status: 4 });
    expect(await run(['health'])).toMatchObject({ status: 0, stdout: expect.stringMatching(/^DEGRADED/) });
    const strict = await run(['health', '--strict']);
    expect(strict).toMatchObject({ status: 4, stdout: expect.stringMatching(/^refused +mock +suspended: auth /m) });
  });

  test('a gateway that can call nobody ends health with 4', async () => {
    const lonely = startUnderstudy([]);
    try {
      const { status, stdout } = await runCommand(['health'], { env: await addressOf(lonely) });
      expect({ status, stdout }).toEqual({ status: 4, stdout: expect.stringMatching(/^NOT_SERVING/) });
    } finally {
      await lonely.close();
    }
  });
});

describe.concurrent('check', () => {
  test('lists targets and whether they have keys, and shows none', async () => {
    const path = await file('keyed.json', KEYED);
    for (const json of [[], ['--json']]) {
      const { status, stdout, stderr } = await runCommand(['check', '--config', path, ...json], {
        env: { LEAD_KEY: 'a-secret-of-mine' },
      });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toMatch(json.length > 0 ? /"key":"set"/ : /^lead +set$/m);
      expect(stdout).not.toContain('a-secret-of-mine');
    }
  });

  test('names what is wrong, and what is missing', async () => {
    const path = await file('keyed.json', KEYED);
    expect(await runCommand(['check', '--config', path])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/^targets\[0\]\.api_key: .*LEAD_KEY.*\n$/),
    });
    const asJson = await runCommand(['check', '--config', path, '--json']);
    expect(JSON.parse(asJson.stdout)).toMatchObject({ ok: false, problems: [{ path: 'targets[0].api_key' }] });
    expect(await runCommand(['check'])).toMatchObject({ status: 1, stdout: expect.stringContaining('no target') });
  });
});

describe.concurrent('serve', () => {
  test('writes JSON alone where it is told to, from the first line on', async () => {
    const own = startUnderstudy(['serve', '--demo', '--log-format', 'json'], { UNDERSTUDY_MOCK: '1' });
    try {
      await own.printed('serving: gRPC 127.0.0.1:');
      expect(JSON.parse(own.stdout())).toMatchObject({
        level: 'info',
        msg: expect.stringContaining(', admin http://'),
      });
    } finally {
      await own.close();
    }
  });

  test('writes lines for people where it is told to', async () => {
    const own = startUnderstudy(['serve', '--demo', '--log-format', 'text'], { UNDERSTUDY_MOCK: '1' });
    try {
      await runCommand(['generate', 'x'], { env: await addressOf(own) });
      await own.printed(' tokens ');
      expect(own.stdout()).toMatch(/^\d\d:\d\d:\d\d\.\d{3} info {2}Generate {2}OK {2}mock\/mock-ok {2}\d+ ms/m);
    } finally {
      await own.close();
    }
  });
});

describe.skipIf(!hasTerminals()).concurrent('on a terminal (skipped without script of util-linux)', () => {
  test('a conversation goes on until Ctrl-D', async () => {
    const command = startOnTerminal(['chat', '-m', 'mock-echo'], { env });
    await command.printed('> ');
    command.type('first\r');
    await command.printed('first\r\r\nfirst\r\n');
    command.type('\u0004');
    expect((await command.ended).status).toBe(0);
  });

  test('Ctrl-C stops an answer, and without one the conversation', async () => {
    const command = startOnTerminal(['chat', '-m', 'mock-stall'], { env });
    await command.printed('> ');
    command.type('first\r');
    await command.printed('first\r\r\n');
    command.type('\u0003');
    await command.printed('(stopped)');
    command.type('\u0003');
    expect((await command.ended).status).toBe(130);
  });

  test('Ctrl-C ends a single answer with 130', async () => {
    const command = startOnTerminal(['generate', '-m', 'mock-stall', 'x'], { env });
    await command.printed(' ');
    command.type('\u0003');
    expect((await command.ended).status).toBe(130);
  });

  test('colours are there, unless NO_COLOR or --no-color says otherwise', async () => {
    const health = async (more: Readonly<Record<string, string>>, ...flags: readonly string[]) =>
      (await startOnTerminal(['health', ...flags], { env: { ...env, ...more } }).ended).stdout;
    expect(await health({})).toContain('\u001B[39m  Understudy');
    expect(await health({ NO_COLOR: '1' })).not.toContain('\u001B');
    expect(await health({}, '--no-color')).not.toContain('\u001B');
  });

  test('words of a model cannot control the terminal; a pipe gets them as they are', async () => {
    const words = ['generate', '-m', 'mock-echo', 'red \u001B[31m or \u0007 not'];
    expect((await startOnTerminal(words, { env }).ended).stdout).toBe('red [31m or  not\r\n');
    expect((await run(words)).stdout).toBe('red \u001B[31m or \u0007 not\n');
  });

  test('serving is told to people, and how to find the other commands', async () => {
    const doors = { UNDERSTUDY_GRPC_ADDRESS: '127.0.0.1:0', UNDERSTUDY_HTTP_ADDRESS: '127.0.0.1:0' };
    const own = { ...doors, UNDERSTUDY_ADMIN_ADDRESS: '127.0.0.1:0', UNDERSTUDY_MOCK: '1' };
    const command = startOnTerminal(['--demo'], { env: own, cwd: temporaryFolder() });
    await command.printed('`understudy --help` has the other commands');
    command.type('\u0003');
    const { status, stdout } = await command.ended;
    expect(status).toBe(0);
    expect(stdout).toContain('\u001B[32minfo \u001B[39m SIGINT: calls under way');
  });
});

test('the page of the command line has every exit status and command', async () => {
  const page = await readFile(new URL('../../docs/command-line.md', import.meta.url), 'utf8');
  for (const word of [
    '`serve`',
    '`check`',
    '`generate`',
    '`chat`',
    '`health`',
    '`models`',
    '| 0 |',
    '| 5 |',
    '| 141 |',
  ]) {
    expect(page).toContain(word);
  }
});
