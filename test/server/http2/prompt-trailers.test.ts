import { once } from 'node:events';
import { connect, createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';

import { endWithLastWrite, sendTrailersNow } from '../../../src/server/http2/prompt-trailers.ts';

/** One end of a connection, which counts how often something is written to it. */
class Wire extends Duplex {
  other: Wire | undefined;
  writes = 0;

  override _read(): void {
    // What comes is pushed.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this._writev([{ chunk }], done);
  }

  override _writev(written: readonly { readonly chunk: Buffer }[], done: () => void): void {
    this.writes += 1;
    this.other?.push(Buffer.concat(written.map(({ chunk }) => chunk)));
    done();
  }

  override _final(done: () => void): void {
    this.other?.push(null);
    done();
  }
}

const LATER_NODE = '27.0.0';
const TRAILERS = {
  'grpc-status': '0',
  'grpc-message': 'fine',
  'x-two': ['1', '2'],
  'x-none': undefined,
  'x-bin': 'AAE',
};

let server: Http2Server | undefined;

afterEach(() => {
  server?.close();
});

/** Has a server answer two calls, one behind the other, and returns what came of the second, and how often was written for it. */
async function answered(version: string | undefined, answer: (stream: ServerHttp2Stream) => void) {
  server = createServer();
  const done: boolean[] = [];
  const closed: Promise<unknown>[] = [];
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('wantTrailers', () => sendTrailersNow(stream, TRAILERS, version));
    closed.push(once(stream, 'close'));
    stream.resume();
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    done.push(endWithLastWrite(stream, version));
    answer(stream);
  });
  const [near, far] = [new Wire(), new Wire()];
  [near.other, far.other] = [far, near];
  server.emit('connection', far);
  const client = connect('http://127.0.0.1', { createConnection: () => near });
  const call = async () => {
    const stream = client.request({ ':method': 'POST' });
    stream.end();
    let body = '';
    stream.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    const came = once(stream, 'trailers');
    await once(stream, 'close');
    const [trailers] = await came;
    return { body, trailers: Object.fromEntries(Object.entries(trailers)), code: stream.rstCode };
  };
  await call();
  const before = far.writes;
  const { body, trailers, code } = await call();
  await Promise.all(closed);
  const writes = far.writes - before;
  client.destroy();
  return { body, trailers, code, writes, done };
}

const WANTED = { 'grpc-status': '0', 'grpc-message': 'fine', 'x-two': '1, 2', 'x-bin': 'AAE' };

describe('the trailers of an answer', () => {
  it('leave with its head and its message', async () => {
    const came = await answered(undefined, (stream) => stream.end('answer'));
    expect(came).toEqual({ body: 'answer', trailers: WANTED, code: 0, writes: 1, done: [true, true] });
  });

  it('leave with its last piece, however many there are', async () => {
    const came = await answered(undefined, (stream) => {
      stream.write('a long ', () => stream.end('answer'));
    });
    expect(came).toEqual({ body: 'a long answer', trailers: WANTED, code: 0, writes: 2, done: [true, true] });
  });

  it('leave where it has no message at all', async () => {
    const { body, trailers, code } = await answered(undefined, (stream) => stream.end());
    expect({ body, trailers, code }).toEqual({ body: '', trailers: WANTED, code: 0 });
  });

  it('leave when Node has them leave where it is not known what it keeps', async () => {
    const came = await answered(LATER_NODE, (stream) => stream.end('answer'));
    expect(came).toMatchObject({ body: 'answer', trailers: WANTED, code: 0, done: [false, false] });
    expect(came.writes).toBeGreaterThan(1);
  });

  it('let their stream finish before it closes', async () => {
    const told: string[] = [];
    server = createServer();
    const closed = new Promise<void>((resolve) => {
      server?.on('stream', (stream: ServerHttp2Stream) => {
        for (const name of ['finish', 'error', 'close']) stream.on(name, () => told.push(name));
        stream.on('wantTrailers', () => sendTrailersNow(stream, TRAILERS));
        stream.on('close', resolve);
        stream.resume();
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        endWithLastWrite(stream);
        stream.end('answer');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    // A server that listens has an address with a port.
    const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    client.request({ ':method': 'POST' }).resume().end();
    await closed;
    client.destroy();
    expect(told).toEqual(['finish', 'close']);
  });

  it('wait for a caller who does not read', async () => {
    const text = 'x'.repeat(200_000);
    const came = await answered(undefined, (stream) => stream.end(text));
    expect(came).toMatchObject({ body: text, trailers: WANTED, code: 0 });
  });

  it('are refused by Node where the stream is gone', async () => {
    const refusals: unknown[] = [];
    await answered(undefined, (stream) => {
      stream.on('close', () => {
        try {
          sendTrailersNow(stream, TRAILERS);
        } catch (error) {
          refusals.push(error);
        }
      });
      stream.end('answer');
    });
    expect(refusals).toMatchObject([{ code: 'ERR_HTTP2_INVALID_STREAM' }, { code: 'ERR_HTTP2_INVALID_STREAM' }]);
  });
});
