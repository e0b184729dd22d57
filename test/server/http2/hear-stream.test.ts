import { once } from 'node:events';
import { connect, createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';

import { expect, onTestFinished, test } from 'vitest';

import { hearStream } from '../../../src/server/http2/hear-stream.ts';

test('a stream tells what comes of it, and nothing once it is closed', async () => {
  const heard: string[] = [];
  const streams: ServerHttp2Stream[] = [];
  const server = createServer();
  server.on('stream', (stream: ServerHttp2Stream) => {
    streams.push(stream);
    hearStream(stream, {
      received: (chunk) => heard.push(`received ${chunk.toString()}`),
      ended: () => {
        heard.push('ended');
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.end('answer');
      },
      wantsTrailers: () => {
        heard.push('wants trailers');
        stream.sendTrailers({ 'grpc-status': '0' });
      },
      closed: () => heard.push('closed'),
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const session = connect(`http://127.0.0.1:${portOf(server.address())}`);
  onTestFinished(() => {
    session.destroy();
    server.close();
  });
  const call = session.request({ ':method': 'POST', ':path': '/' });
  call.end('request');
  call.resume();
  const [trailers] = await once(call, 'trailers');
  expect(trailers).toMatchObject({ 'grpc-status': '0' });
  const [stream] = streams;
  if (stream === undefined) throw new Error('no stream has come');
  if (!stream.destroyed) await once(stream, 'close');
  expect(heard).toEqual(['received request', 'ended', 'wants trailers', 'closed']);
  for (const event of ['data', 'end', 'wantTrailers', 'close']) stream.emit(event, Buffer.from('late'));
  expect(heard).toHaveLength(4);
});

function portOf(address: AddressInfo | string | null): number {
  return typeof address === 'object' && address !== null ? address.port : 0;
}
