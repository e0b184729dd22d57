import { PassThrough } from 'node:stream';

import { expect, test } from 'vitest';

import { FRAME_MOST_BYTES, FRAME_TYPE } from '../../bench/calls/http2/frame-types.ts';
import { FrameWriter } from '../../bench/calls/http2/frame-writer.ts';

test('frames for a socket that is destroyed are dropped, also more of them than are put together at once', () => {
  const socket = new PassThrough();
  socket.destroy();
  const writer = new FrameWriter(socket);
  const payload = Buffer.alloc(FRAME_MOST_BYTES);
  expect(() => {
    for (let count = 0; count < 10; count++) writer.write(FRAME_TYPE.DATA, 0, 1, payload);
  }).not.toThrow();
});
