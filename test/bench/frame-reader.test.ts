import { describe, expect, test } from 'vitest';

import { FrameReader } from '../../bench/calls/http2/frame-reader.ts';

/** A HEADERS frame, two of DATA, the last with nothing in it, an empty one of SETTINGS, and one of PING. */
const FRAMES = Buffer.from(
  '00000301040000000188bebf' +
    '00000500000000000168656c6c6f' +
    '000000000100000001' +
    '000000040100000000' +
    '0000080600000000000102030405060708',
  'hex',
);

/** What a reader tells of the frames that come in pieces of so many bytes; pieces of data are put together. */
function toldOf(bytes: Buffer, size: number): readonly string[] {
  const told: string[] = [];
  let data = '';
  const reader = new FrameReader({
    onData: (stream, piece, from, to) => (data += `${stream}:${piece.toString('latin1', from, to)} `),
    onDataEnd: (stream) => told.push(`end of ${stream}`),
    onFrame: (type, flags, stream, piece, from, to) =>
      told.push(`${type} ${flags} ${stream} ${piece.toString('hex', from, to)}`),
  });
  for (let at = 0; at < bytes.length; at += size) {
    const piece = Buffer.from(bytes.subarray(at, at + size));
    reader.push(piece, piece.length);
  }
  return [...told, data.replaceAll(' 1:', '')];
}

describe('a reader of frames', () => {
  test.each(Array.from({ length: FRAMES.length }, (_, index) => index + 1))(
    'tells the same of frames in pieces of %i bytes',
    (size) => {
      expect(toldOf(FRAMES, size)).toEqual([
        '1 4 1 88bebf',
        'end of 1',
        '4 1 0 ',
        '6 0 0 0102030405060708',
        '1:hello ',
      ]);
    },
  );

  test.each([
    ['larger than allowed', '00400100000000000100', /16385 bytes/],
    ['padded', '00000300080000000101', /flags 8/],
    ['prioritized', '00000601240000000100', /flags 36/],
  ])('refuses frames that are %s', (_, hex, message) => {
    expect(() => toldOf(Buffer.from(hex, 'hex'), 10)).toThrow(message);
  });
});
