import { once } from 'node:events';
import { type ClientHttp2Stream, connect, createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { boundInput, dropInput, holdInput, readInput } from '../../../src/server/http2/unread-input.ts';
import { ByteBudget } from '../../../src/server/wire/byte-budget.ts';

const MIB = 1024 * 1024;
/** What a client may send on a stream of these servers before it must wait. */
const WINDOW = 4 * MIB;

/** Opens a stream, which nobody reads, and returns both of its ends. */
async function opened(): Promise<{ readonly sent: ClientHttp2Stream; readonly stream: ServerHttp2Stream }> {
  const server = createServer({ settings: { initialWindowSize: WINDOW } });
  server.on('session', (session) => session.setLocalWindowSize(2 * WINDOW));
  const arrived = once(server, 'stream') as Promise<[ServerHttp2Stream]>;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect(`http://127.0.0.1:${port}`, { maxSessionMemory: 100 });
  client.on('error', () => undefined);
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  await once(client, 'remoteSettings');
  const sent = client.request({ ':method': 'POST', ':path': '/' });
  sent.on('error', () => undefined);
  sent.resume();
  const [stream] = await arrived;
  stream.on('error', () => undefined);
  return { sent, stream };
}

/** Sends pieces, of which none is as large as what is bounded. */
function send(stream: ClientHttp2Stream, bytes: number): void {
  for (let left = bytes; left > 0; left -= 16 * 1024) stream.write(Buffer.alloc(Math.min(left, 16 * 1024)));
}

describe('what is dropped of a stream', () => {
  test('is kept nowhere, and its client sends no more than the window', async () => {
    const { sent, stream } = await opened();
    dropInput(stream, undefined);
    send(sent, 3 * WINDOW);
    await expect.poll(() => stream.state.localWindowSize).toBe(0);
    expect(stream.readableLength).toBe(0);
    expect(sent.writableLength).toBeGreaterThan(0);
  });

  test('has an end where it has come whole', async () => {
    const { sent, stream } = await opened();
    dropInput(stream, undefined);
    const ended = once(stream, 'end');
    sent.end(Buffer.alloc(MIB));
    await ended;
    expect(stream.readableLength).toBe(0);
  });
});

describe('what is held of a stream', () => {
  test('is counted until it is read, and comes whole', async () => {
    const { sent, stream } = await opened();
    const budget = new ByteBudget(8 * MIB);
    holdInput(stream, budget, 'caller');
    sent.end(Buffer.alloc(MIB, 'a'));
    await expect.poll(() => budget.requestBytes).toBe(MIB);
    readInput(stream);
    expect(budget.requestBytes).toBe(0);
    expect((await stream.toArray()).reduce((sum: number, { length }) => sum + length, 0)).toBe(MIB);
  });

  test('that finds no room has its stream refused, and is counted no more', async () => {
    const { sent, stream } = await opened();
    const budget = new ByteBudget(2 * MIB);
    holdInput(stream, budget, 'caller');
    send(sent, WINDOW);
    await new Promise((resolve) => sent.once('close', resolve));
    expect(sent.rstCode).toBe(7);
    expect([budget.requestBytes, budget.refused.bytes_in_flight]).toEqual([0, 1]);
  });
});

test('what a library does not read is kept up to 64 KiB', async () => {
  const { sent, stream } = await opened();
  boundInput(stream);
  send(sent, WINDOW);
  await expect.poll(() => stream.state.localWindowSize).toBe(0);
  expect(stream.readableLength).toBeLessThanOrEqual(64 * 1024);
});
