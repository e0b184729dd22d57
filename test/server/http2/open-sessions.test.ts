import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  constants,
  createServer,
  type Http2Server,
  type ServerHttp2Stream,
} from 'node:http2';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { OpenSessions } from '../../../src/server/http2/open-sessions.ts';
import { RESET_GUARD } from '../../../src/server/http2/reset-budget.ts';
import { system } from '../../../src/system.ts';
import { createVirtualRuntime } from '../../support/virtual-runtime.ts';

const LAST_STREAM_ID = 2 ** 31 - 1;

/** A server whose streams stay open until they are ended by hand. */
interface Stage {
  readonly sessions: OpenSessions;
  readonly streams: ServerHttp2Stream[];
  readonly port: number;
  connect(): Promise<ClientHttp2Session>;
}

async function stage(runtime: ConstructorParameters<typeof OpenSessions>[0]['runtime'] = system): Promise<Stage> {
  const server: Http2Server = createServer(RESET_GUARD);
  const streams: ServerHttp2Stream[] = [];
  server.on('stream', (stream: ServerHttp2Stream) => {
    streams.push(stream);
    stream.on('error', () => undefined);
    stream.respond({ ':status': 200 });
    stream.write('begun');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sessions = new OpenSessions({ runtime, idleTimeoutMs: 60_000 });
  sessions.watch(server);
  // A server that listens has an address with a port.
  const { port } = server.address() as AddressInfo;
  return {
    sessions,
    streams,
    port,
    connect: async () => {
      const client = connect(`http://127.0.0.1:${port}`);
      client.on('error', () => undefined);
      onTestFinished(() => client.destroy());
      await once(client, 'remoteSettings');
      return client;
    },
  };
}

function begin(client: ClientHttp2Session) {
  const stream = client.request({ ':method': 'POST', ':path': '/' });
  stream.on('error', () => undefined);
  const data = once(stream, 'data');
  return { stream, data, closed: new Promise((resolve) => stream.once('close', resolve)) };
}

async function goawaysOf(client: ClientHttp2Session): Promise<readonly number[]> {
  const ids: number[] = [];
  client.on('goaway', (_code: number, id: number) => ids.push(id));
  await once(client, 'close');
  return ids;
}

test('with streams open, a connection is told twice: first that nothing is refused, then where it ends; the streams go on', async () => {
  const { sessions, streams, connect: open, port } = await stage();
  const client = await open();
  const goaways = goawaysOf(client);
  const call = begin(client);
  await call.data;
  await sessions.retire();
  expect(client.closed).toBe(true);
  const refused = connectTcp(port, '127.0.0.1');
  const [error] = await once(refused, 'error');
  expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  expect(call.stream.closed).toBe(false);
  streams[0]?.end('ended');
  await call.closed;
  expect(call.stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
  expect((await goaways).slice(0, 2)).toEqual([LAST_STREAM_ID, 1]);
});

test('what a client has sent before it could know is still taken', async () => {
  const { sessions, streams, connect: open } = await stage();
  const client = await open();
  const first = begin(client);
  await first.data;
  const late = begin(client);
  // Its frames leave the client in this turn; the server reads them in the next, when its first GOAWAY is out.
  await new Promise((resolve) => setImmediate(resolve));
  expect(streams).toHaveLength(1);
  await sessions.retire();
  expect(streams).toHaveLength(2);
  for (const stream of streams) stream.end();
  await Promise.all([first.closed, late.closed]);
  expect(late.stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
});

test('an idle connection is closed at once, and nobody is waited for that does not answer', async () => {
  const { sessions, connect: open } = await stage(createVirtualRuntime());
  const client = await open();
  const goaways = goawaysOf(client);
  await sessions.retire();
  expect((await goaways)[0]).toBe(0);
});

test('a client that does not acknowledge is waited for a second', async () => {
  const runtime = createVirtualRuntime();
  const { sessions, port, streams } = await stage(runtime);
  const socket = connectTcp(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  // The preface, empty settings, and the head of a stream: POST http://a/. It answers to nothing.
  socket.write(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`);
  socket.write(Buffer.from('000000040000000000', 'hex'));
  socket.write(Buffer.from('000006010400000001838684010161', 'hex'));
  await expect.poll(() => streams.length).toBe(1);
  let isRetired = false;
  const retired = sessions.retire().then(() => {
    isRetired = true;
  });
  await runtime.advance(999);
  expect(isRetired).toBe(false);
  await runtime.advance(1);
  await retired;
});

test('a connection that has had no stream for the idle time is sent away; an open stream keeps it', async () => {
  const runtime = createVirtualRuntime();
  const { streams, connect: open } = await stage(runtime);
  const client = await open();
  const call = begin(client);
  await call.data;
  await runtime.advance(300_000);
  expect(client.closed).toBe(false);
  streams[0]?.end();
  await call.closed;
  await expect.poll(() => streams[0]?.destroyed).toBe(true);
  await runtime.advance(59_999);
  expect(client.closed).toBe(false);
  const goaways = goawaysOf(client);
  await runtime.advance(60_000);
  expect((await goaways)[0]).toBe(1);
});

test('in the end all connections are closed, whatever is under way', async () => {
  const { sessions, connect: open } = await stage();
  const client = await open();
  const call = begin(client);
  await call.data;
  const closed = once(client, 'close');
  await sessions.retire();
  sessions.destroy();
  await Promise.all([call.closed, closed]);
  expect(call.stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
});

test('it knows when a client was there last', async () => {
  const runtime = createVirtualRuntime({ nowMs: 1_000 });
  const { sessions, connect: open } = await stage(runtime);
  expect(sessions.usedAtMs).toBe(-Infinity);
  const client = await open();
  await runtime.advance(500);
  expect(sessions.usedAtMs).toBe(1_500);
  client.close();
  await expect.poll(() => runtime.pendingTimers()).toBe(0);
  await runtime.advance(500);
  expect(sessions.usedAtMs).toBe(1_500);
});

test('where too many calls are left, new ones of that connection are refused, and nobody else is', async () => {
  const runtime = createVirtualRuntime();
  const { streams, connect: open } = await stage(runtime);
  const [flood, other] = [await open(), await open()];
  const kept = begin(flood);
  await kept.data;
  for (let round = 0; round < 20; round += 1) {
    const calls = Array.from({ length: 100 }, () => begin(flood));
    await Promise.all(calls.map(({ data }) => data));
    for (const { stream } of calls) stream.close(constants.NGHTTP2_CANCEL);
    await Promise.all(calls.map(({ closed }) => closed));
  }
  await expect.poll(() => streams.filter((stream) => stream.destroyed).length).toBe(2_000);
  const refused = begin(flood);
  await expect(refused.data).rejects.toThrow('REFUSED_STREAM');
  await refused.closed;
  expect(refused.stream.rstCode).toBe(constants.NGHTTP2_REFUSED_STREAM);
  expect(streams).toHaveLength(2_001);
  await begin(other).data;
  // Its own call that was not left goes on, and there is soon room for the next.
  await runtime.advance(2);
  await begin(flood).data;
  streams[0]?.end();
  await kept.closed;
  expect(kept.stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
});
