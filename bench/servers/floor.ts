import { createServer } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';

import { floorAnswer } from '../calls/answers.ts';
import { createHop } from './hop.ts';
import { keyIn } from '../calls/asked.ts';

/**
 * The floor: a gRPC server of nothing but `node:http2`, frames made beforehand, and one request with undici. Nothing that
 * answers gRPC calls over HTTP calls can be much faster on Node.
 */

const RESPONSE_HEAD = { ':status': 200, 'content-type': 'application/grpc+proto' };
const TRAILERS = { 'grpc-status': '0' };

const [port, origin = ''] = process.argv.slice(2);
const hop = createHop(origin);

function answer(stream: ServerHttp2Stream, request: Buffer): void {
  const key = keyIn(request);
  if (key === undefined) {
    stream.close();
    return;
  }
  const frames = floorAnswer(key);
  let next = 0;
  const isStream = frames.length > 1;
  stream.respond(RESPONSE_HEAD, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(TRAILERS));
  const write = (): void => {
    const bytes = frames[next];
    next += 1;
    if (bytes !== undefined) stream.write(bytes);
  };
  hop(key, request.length, {
    onPiece: () => {
      if (isStream) write();
    },
    onEnd: () => {
      while (next < frames.length) write();
      stream.end();
    },
    onError: () => stream.close(),
  });
}

const server = createServer();
server.on('stream', (stream: ServerHttp2Stream) => {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => answer(stream, Buffer.concat(chunks)));
  stream.on('error', () => stream.destroy());
});
server.listen(Number(port), '127.0.0.1');
