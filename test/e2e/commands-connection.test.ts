import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { constants, createServer } from 'node:http2';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type Authority, createAuthority, hasOpenssl } from '../support/certificates.ts';
import { runCommand } from '../support/command-run.ts';
import { openRecordingGateway, type RecordingGateway } from '../support/recording-gateway.ts';

const KEY = 'a-key-of-the-caller';
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
/** A type and a flag of frames (RFC 9113, section 6.5). */
const SETTINGS = 4;
const ACK = 1;
const env = { UNDERSTUDY_API_KEY: KEY };

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-'));
});

afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

async function portOf(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('over plaintext', () => {
  let server: RecordingGateway;

  beforeAll(async () => {
    server = await openRecordingGateway();
  });

  afterAll(() => server.close());

  test('key, deadline, metadata and trace arrive', async () => {
    const args = ['generate', '-a', `127.0.0.1:${server.port}`, '-H', 'x-request-id: mine', '--timeout', '30s', 'Hi'];
    expect(await runCommand(args, { env: { ...env, TRACEPARENT: TRACE } })).toMatchObject({
      status: 0,
      stdout: 'Hi\n',
    });
    const headers = server.calls.at(-1);
    expect(headers?.get('authorization')).toBe(`Bearer ${KEY}`);
    expect(headers?.get('x-request-id')).toBe('mine');
    expect(headers?.get('traceparent')).toBe(TRACE);
    const told = Number(/^(\d+)m$/.exec(headers?.get('grpc-timeout') ?? '')?.[1]);
    expect(told).toBeLessThanOrEqual(30_000);
    expect(told).toBeGreaterThan(20_000);
  });

  test('a key in a file wins, and what is no traceparent is not sent', async () => {
    const path = await file('key', 'another-key-of-mine\n');
    const args = ['generate', '-a', `http://127.0.0.1:${server.port}`, '--api-key-file', path, 'Hi'];
    expect(await runCommand(args, { env: { ...env, TRACEPARENT: 'x\r\ny' } })).toMatchObject({ status: 0 });
    expect(server.calls.at(-1)?.get('authorization')).toBe('Bearer another-key-of-mine');
    expect(server.calls.at(-1)?.has('traceparent')).toBe(false);
  });

  test('a gateway without TLS says so to whoever wants it', async () => {
    const told = await runCommand(['generate', '-a', `https://127.0.0.1:${server.port}`, 'Hi']);
    expect(told).toMatchObject({
      status: 4,
      stderr: expect.stringMatching(/UNAVAILABLE: .* does not speak TLS .*http:\/\//),
    });
  });

  test.each([
    ['closes', (socket: Socket) => socket.end()],
    ['resets', (socket: Socket) => socket.resetAndDestroy()],
  ])('a gateway that %s the connection within a call is told as that', async (_how, leave) => {
    let sent = Buffer.of();
    const leaving = createTcpServer((socket) => {
      socket.write(Buffer.of(0, 0, 0, SETTINGS, 0, 0, 0, 0, 0));
      socket.on('data', (data: Buffer) => {
        sent = Buffer.concat([sent, data]);
        if (sent.includes(Buffer.of(0, 0, 0, SETTINGS, ACK, 0, 0, 0, 0))) leave(socket);
      });
    });
    const port = await portOf(leaving);
    const told = await runCommand(['generate', '-a', `127.0.0.1:${port}`, 'Hi']);
    leaving.close();
    expect(told).toMatchObject({
      status: 4,
      stderr: expect.stringMatching(/UNAVAILABLE: the connection was lost before the end of the call/),
    });
  });

  test('a call that is reset by itself is told as that', async () => {
    const resetting = createServer();
    resetting.on('stream', (stream) => {
      stream.on('error', () => {});
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    });
    const port = await portOf(resetting);
    const told = await runCommand(['generate', '-a', `127.0.0.1:${port}`, 'Hi']);
    resetting.close();
    expect(told).toMatchObject({
      status: 4,
      stderr: expect.stringMatching(/UNAVAILABLE: Stream closed .*INTERNAL_ERROR/),
    });
  });

  test('a port that resets the connection before a word of HTTP/2 speaks no gRPC', async () => {
    const resetting = createTcpServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const port = await portOf(resetting);
    const told = await runCommand(['generate', '-a', `127.0.0.1:${port}`, 'Hi']);
    resetting.close();
    expect(told).toMatchObject({ status: 4, stderr: expect.stringMatching(/UNAVAILABLE: .*does not speak gRPC here/) });
  });

  test('a key goes to no other machine, unless it may', async () => {
    const args = ['generate', '-a', 'gateway.invalid:443', 'Hi'];
    const refused = await runCommand(args, { env });
    expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining('without TLS') });
    const allowed = await runCommand([...args, '--allow-plaintext-key'], { env });
    expect(allowed).toMatchObject({ status: 4, stderr: expect.stringContaining('no gateway can be reached') });
    for (const { stderr } of [refused, allowed]) expect(stderr).not.toContain(KEY);
  });

  test.each([
    ['a key that no header can hold', [], { UNDERSTUDY_API_KEY: 'a secret\nof two lines' }],
    ['a header that is none', ['-H', 'secret-without-colon'], {}],
    ['a value that no header can hold', ['-H', 'x: se\ncret'], {}],
  ])('%s is not shown', async (_what, flags, own) => {
    const { status, stderr } = await runCommand(['health', ...flags], { env: own });
    expect(status).toBe(2);
    expect(stderr).not.toContain('secret');
  });
});

describe.skipIf(!hasOpenssl())('over TLS (skipped without openssl)', () => {
  let authority: Authority;
  let server: RecordingGateway;
  let ca: string;

  beforeAll(async () => {
    authority = createAuthority();
    const { cert, key } = authority.issue('localhost');
    server = await openRecordingGateway({ cert, key, ca: authority.cert, requestCert: true, rejectUnauthorized: true });
    ca = await file('ca.pem', authority.cert);
  });

  afterAll(() => {
    server.close();
    authority.remove();
  });

  test('both sides show who they are', async () => {
    const { cert, key } = authority.issue('caller');
    const own = ['--cert', await file('own.pem', cert), '--key', await file('own.key', key)];
    const args = ['generate', '-a', `https://localhost:${server.port}`, '--ca', ca, ...own, 'Hi'];
    expect(await runCommand(args, { env })).toMatchObject({ status: 0, stdout: 'Hi\n' });
    expect(server.calls.at(-1)?.get('authorization')).toBe(`Bearer ${KEY}`);
    const byAddress = ['generate', '-a', `127.0.0.1:${server.port}`, '--ca', ca, ...own, 'Hi'];
    expect(await runCommand([...byAddress, '--server-name', 'localhost'])).toMatchObject({ status: 0 });
    expect(await runCommand(byAddress)).toMatchObject({ status: 4, stderr: expect.stringContaining('CERT') });
  });

  test('plaintext is not spoken, and the call counts as none that was cancelled', async () => {
    const told = await runCommand(['generate', '-a', `http://localhost:${server.port}`, 'Hi']);
    expect(told).toMatchObject({
      status: 4,
      stderr: expect.stringMatching(/UNAVAILABLE: .*does not speak gRPC here .*https:\/\//),
    });
  });

  test('whom nobody trusts gets no call, and no key is shown', async () => {
    const seen = server.calls.length;
    const address = `https://localhost:${server.port}`;
    for (const args of [[], ['--ca', ca]]) {
      const { status, stderr } = await runCommand(['generate', '-a', address, ...args, 'Hi'], { env });
      expect({ status, stderr }).toEqual({ status: 4, stderr: expect.stringContaining('no trusted connection') });
      expect(stderr).not.toContain(KEY);
    }
    expect(server.calls).toHaveLength(seen);
  });
});
