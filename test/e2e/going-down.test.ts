import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';

import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { say } from '../support/chat-samples.ts';
import { configFile } from '../support/config-file.ts';
import { openRpcClient } from '../support/rpc-client.ts';
import { rpcError } from '../support/rpc-error.ts';
import { beginRaw, openRawConnection, statusOfRaw } from '../support/raw-grpc.ts';
import { PROGRAM_COMMAND, startUnderstudy, type UnderstudyProcess } from '../support/understudy-process.ts';
import { get, postJson } from '../support/web-calls.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BIN = join(ROOT, 'bin', 'understudy.js');
const messages = [say(Role.USER, 'Who is there?')];

/** Longer than an orderly end takes on a busy machine, and shorter than the grace. */
const SOON_MS = 20_000;

type Drain = Readonly<Record<'pause' | 'grace', string>>;

/** Starts a gateway with the mock alone, which ends with the test. */
async function started(
  drain: Partial<Drain> = {},
  env: Readonly<Record<string, string>> = {},
  command = PROGRAM_COMMAND,
): Promise<UnderstudyProcess> {
  const path = await configFile({
    targets: [{ name: 'mock', provider: 'mock', model: 'mock-ok' }],
    server: { drain: { pause: '0s', ...drain } },
  });
  // npm starts what is in its folder.
  const child = startUnderstudy(['--config', path], env, { command, cwd: command[0] === 'npm' ? ROOT : undefined });
  onTestFinished(() => child.close());
  await child.doors;
  return child;
}

async function clientOf(child: UnderstudyProcess) {
  const client = openRpcClient((await child.doors).grpc);
  onTestFinished(() => client.close());
  return client;
}

/** Sends a signal; returns how the process ends, and whether soon. */
async function endOf(child: UnderstudyProcess, signal: NodeJS.Signals) {
  const sentAtMs = performance.now();
  child.kill(signal);
  const end = await child.ended;
  return { ...end, isSoon: performance.now() - sentAtMs < SOON_MS };
}

const WELL_AND_SOON = { code: 0, signal: null, isSoon: true };

async function refusesConnections(address: string): Promise<boolean> {
  const { hostname, port } = new URL(`http://${address}`);
  const socket = connect(Number(port), hostname);
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(false));
    socket.once('error', () => resolve(true));
    onTestFinished(() => void socket.destroy());
  });
}

describe('an idle process ends at once, and with 0', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s', async (signal) => {
    const child = await started();
    await (await clientOf(child)).call(LlmService.method.chat, { messages });
    expect(await endOf(child, signal)).toEqual(WELL_AND_SOON);
  });

  test('also where nobody reads its log', async () => {
    const child = await started();
    const { web } = await child.doors;
    child.stopReading();
    // A pipe takes 64 KiB, and what the reader has ahead; each call writes about half a KiB.
    const calls = Array.from({ length: 400 }, () => postJson(web, 'Generate', { prompt: 'Who is there?' }));
    await Promise.all(calls);
    const ended = endOf(child, 'SIGTERM');
    await expect.poll(() => child.hasExited(), { timeout: SOON_MS }).toBe(true);
    child.readOn();
    expect(await ended).toEqual(WELL_AND_SOON);
  });

  test('also where a client never closes its half of a connection', async () => {
    const child = await started();
    const { grpc, web } = await child.doors;
    for (const address of [grpc, web.slice('http://'.length)]) {
      const { hostname, port } = new URL(`http://${address}`);
      const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
      onTestFinished(() => void socket.destroy());
      socket.on('error', () => undefined).resume();
      socket.write(address === grpc ? 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' : 'GET /livez HTTP/1.1\r\nHost: a\r\n\r\n');
      await new Promise((resolve) => socket.once('data', resolve));
    }
    expect(await endOf(child, 'SIGTERM')).toEqual(WELL_AND_SOON);
  });
});

test('what is left after the grace is told why it ends', async () => {
  const child = await started({ grace: '100ms' });
  const client = await clientOf(child);
  const stream = client.stream(LlmService.method.streamChat, { messages, model: 'mock-stall' });
  await stream.at(0);
  child.kill('SIGTERM');
  expect(await rpcError(stream.done)).toMatchObject({ code: 'UNAVAILABLE', reason: 'SHUTTING_DOWN' });
  expect(await child.ended).toEqual({ code: 0, signal: null });
});

test('a call whose request was still on its way is answered', async () => {
  const child = await started();
  const session = openRawConnection((await child.doors).grpc);
  onTestFinished(() => session.destroy());
  const { stream, begun, end } = beginRaw(session);
  const status = statusOfRaw(stream);
  await begun;
  // What the gateway answers came behind the stream.
  await new Promise((resolve) => session.ping(resolve));
  let goaways = 0;
  session.on('goaway', () => (goaways += 1));
  child.kill('SIGTERM');
  await expect.poll(() => goaways).toBe(2);
  end();
  expect(await status).toBe('0');
  expect(await child.ended).toEqual({ code: 0, signal: null });
});

test('a signal that comes twice at once is one; who sends another later does not want to wait', async () => {
  const child = await started();
  const stream = (await clientOf(child)).stream(LlmService.method.streamChat, { messages, model: 'mock-stall' });
  stream.done.catch(() => undefined);
  const { admin } = await child.doors;
  await expect.poll(async () => (await get(`${admin}/metrics`)).body).toMatch(/^understudy_calls_in_flight 1$/m);
  const sentAtMs = performance.now();
  child.kill('SIGINT');
  await child.printed('SIGINT');
  await expect
    .poll(() => {
      child.kill('SIGINT');
      return child.hasExited();
    })
    .toBe(true);
  expect(performance.now() - sentAtMs).toBeGreaterThan(900);
  expect(await child.ended).toEqual({ code: 1, signal: null });
});

test('SIGHUP ends nothing', async () => {
  const child = await started();
  const client = await clientOf(child);
  const stream = client.stream(LlmService.method.streamChat, { messages, model: 'mock-slow' });
  await stream.at(0);
  child.kill('SIGHUP');
  await child.printed('the configuration was read again, and is as it was');
  expect((await stream.done).at(-1)?.event.case).toBe('finished');
  expect(await client.call(LlmService.method.chat, { messages })).toMatchObject({ provider: 'mock' });
});

/** A Node that is too old for the gateway, where the machine has one. */
const oldNode = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .map((folder) => join(folder, 'node'))
  .find((path) => existsSync(path) && /^v(1\d|2[0-3])\./.test(spawnSync(path, ['--version']).stdout.toString()));

const WAYS: readonly { readonly name: string; readonly command: readonly [string, ...string[]] | undefined }[] = [
  { name: 'npm', command: ['npm', 'start', '--'] },
  { name: 'an old Node', command: oldNode === undefined ? undefined : [oldNode, BIN] },
];

describe.skipIf(process.platform === 'win32')('started by', () => {
  describe.each(WAYS)('$name (skipped where there is none)', ({ command }) => {
    test.skipIf(command === undefined).each(['SIGTERM', 'SIGINT', 'SIGKILL'] as const)(
      '%s leaves nothing behind',
      async (signal) => {
        const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' };
        const child = await started({}, env, command);
        const { grpc } = await child.doors;
        child.kill(signal);
        // Whoever has started it is gone with it, unless it had no time to say so.
        const end = signal === 'SIGKILL' ? { code: null, signal } : { code: 0, signal: null };
        expect(await child.ended).toEqual(end);
        await expect.poll(() => refusesConnections(grpc)).toBe(true);
      },
    );
  });
});
