import { connect } from 'node:http2';
import type { IncomingHttpHeaders } from 'node:http2';
import { duplexPair } from 'node:stream';

import { FrameReader } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';
import { FRAME_FLAG, FRAME_TYPE, PREFACE } from './frame-types.ts';

/** More would be no saving. */
const MOST_KNOWN = 16;
/** `:status: 200`, which is the eighth of HPACK's static table. */
const HEAD = Buffer.from([0x88]);
const NOTHING = Buffer.alloc(0);

/**
 * How calls end that end well. Headers are compressed without a table, so that the same bytes mean the same on every stream: each block is
 * decoded once, and recognized from then on.
 */
export class KnownEnds {
  readonly #known: Buffer[] = [];

  /** Whether a block is known to say that a call ended well. */
  has(bytes: Buffer, from: number, to: number): boolean {
    for (const known of this.#known)
      if (known.length === to - from && known.compare(bytes, from, to) === 0) return true;
    return false;
  }

  /**
   * Decodes a block, and knows it from then on where it says that a call ended well. Rejects where it says anything else.
   *
   * @param isAlone whether the call has no other headers
   */
  async learn(block: Buffer, isAlone: boolean): Promise<void> {
    const { 'grpc-status': status, 'grpc-message': message } = await decode(block, isAlone);
    if (status !== '0') throw new Error(`a call ended with gRPC status ${String(status)} (${String(message)})`);
    if (this.has(block, 0, block.length)) return;
    this.#known.push(block);
    if (this.#known.length > MOST_KNOWN) this.#known.shift();
  }
}

/** Lets `node:http2` decode a block, as the answer to a call over a connection of its own. */
async function decode(block: Buffer, isAlone: boolean): Promise<IncomingHttpHeaders> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingHttpHeaders>();
  const [near, far] = duplexPair();
  const session = connect('http://127.0.0.1', { createConnection: () => far });
  session.on('error', reject);
  const stream = session.request();
  stream.on('response', (headers) => {
    if (isAlone) resolve(headers);
  });
  stream.on('trailers', resolve);
  stream.on('error', reject);
  stream.on('close', () => reject(new Error('the headers that end a call cannot be read')));
  const writer = new FrameWriter(near);
  const reader = new FrameReader({
    onData: () => undefined,
    onDataEnd: () => undefined,
    onFrame: (type, _, id) => {
      if (type !== FRAME_TYPE.HEADERS) return;
      writer.write(FRAME_TYPE.SETTINGS, 0, 0, NOTHING);
      if (!isAlone) writer.write(FRAME_TYPE.HEADERS, FRAME_FLAG.END_HEADERS, id, HEAD);
      writer.write(FRAME_TYPE.HEADERS, FRAME_FLAG.END_HEADERS | FRAME_FLAG.END_STREAM, id, block);
    },
  });
  let prefaceLeft = PREFACE.length;
  near.on('data', (chunk: Buffer) => {
    const skipped = Math.min(prefaceLeft, chunk.length);
    prefaceLeft -= skipped;
    reader.push(chunk.subarray(skipped), chunk.length - skipped);
  });
  try {
    return await promise;
  } finally {
    session.destroy();
  }
}
