import { once } from 'node:events';
import { connect, constants, createServer, type Http2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';

import { tableStreams } from '../../../src/server/http2/stream-table.ts';

/** How a session begins. */
type Beginning = (session: Http2Session) => void;

/** What happens to streams, one of which ends, is reset, and is under way when the connection goes, in the order of their names. */
async function lives(end: 'destroy' | 'close' | 'socket', begin: Beginning): Promise<readonly string[]> {
  const told: string[] = [];
  const server = createServer();
  server.on('session', begin);
  server.on('stream', (stream: ServerHttp2Stream, { ':path': path = '' }) => {
    stream.on('error', ({ message }) => told.push(`${path} server error ${message}`));
    stream.on('aborted', () => told.push(`${path} server aborted`));
    stream.on('close', () => told.push(`${path} server closed ${stream.rstCode}`));
    stream.respond({ ':status': 200 });
    stream.write('begun');
    if (path.startsWith('/ended')) stream.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens has an address with a port.
  const { port } = server.address() as AddressInfo;
  const sessions = Promise.withResolvers<Http2Session>();
  server.once('session', sessions.resolve);
  const client = connect(`http://127.0.0.1:${port}`);
  begin(client);
  client.on('error', ({ message }) => told.push(`client error ${message}`));
  const open = (path: string) => {
    const stream = client.request({ ':path': path, ':method': 'POST' });
    stream.on('error', ({ message }) => told.push(`${path} client error ${message}`));
    const closed = new Promise<void>((resolve) => {
      stream.on('close', () => {
        told.push(`${path} client closed ${stream.rstCode}`);
        resolve();
      });
    });
    return { stream, closed, answered: once(stream, 'data') };
  };
  const ended = Array.from({ length: 40 }, (_, index) => open(`/ended/${index}`));
  for (const { stream } of ended) stream.end();
  await Promise.all(ended.map(({ closed }) => closed));
  const reset = open('/reset');
  await reset.answered;
  reset.stream.close(constants.NGHTTP2_CANCEL);
  await reset.closed;
  const underWay = ['/a', '/b', '/c'].map(open);
  await Promise.all(underWay.map(({ answered }) => answered));
  const session = await sessions.promise;
  const gone = once(session, 'close');
  if (end === 'destroy') session.destroy();
  else if (end === 'socket') client.socket.destroy();
  else {
    session.close();
    for (const { stream } of underWay) stream.end();
    for (const { stream } of underWay) stream.close();
  }
  await Promise.all(underWay.map(({ closed }) => closed));
  await gone;
  const closed = once(server, 'close');
  server.close();
  await closed;
  return told.toSorted();
}

describe('the streams of a connection', () => {
  it.each(['destroy', 'close', 'socket'] as const)('live and end as in Node’s own tables (%s)', async (end) => {
    const wanted = await lives(end, () => undefined);
    expect(wanted.length).toBeGreaterThan(80);
    const tabled: boolean[] = [];
    expect(await lives(end, (session) => tabled.push(tableStreams(session)))).toEqual(wanted);
    expect(tabled).toEqual([true, true]);
  });

  it('stay where they are once there are some', async () => {
    const server = createServer();
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => undefined);
      stream.respond();
      stream.end(String(stream.session !== undefined && tableStreams(stream.session)));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = connect(`http://127.0.0.1:${port}`);
    // Nor are those of a Node that nobody has looked into.
    expect(tableStreams(client, '27.0.0')).toBe(false);
    const [data] = await once(client.request().setEncoding('utf8'), 'data');
    expect(data).toBe('false');
    client.destroy();
    server.close();
  });
});
