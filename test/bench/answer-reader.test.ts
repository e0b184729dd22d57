import { expect, test } from 'vitest';

import { AnswerReader } from '../../bench/calls/answer-reader.ts';

const ANSWERS = Buffer.from(
  'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwhole' +
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nin \r\n6\r\nchunks\r\n0\r\n\r\n' +
    'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n',
);

test.each(Array.from({ length: ANSWERS.length }, (_, index) => index + 1))(
  'answers are read in pieces of %i bytes, all of which come in the same buffer',
  (size) => {
    const told: string[] = [];
    let body = '';
    const reader = new AnswerReader({
      onHead: (status) => (body = `${status} `),
      onPiece: (piece) => (body += piece.toString('latin1')),
      onEnd: () => told.push(body),
    });
    const buffer = Buffer.alloc(size);
    for (let at = 0; at < ANSWERS.length; at += size) {
      reader.push(buffer.subarray(0, ANSWERS.copy(buffer, 0, at, at + size)));
      buffer.fill('x');
    }
    expect(told).toEqual(['200 whole', '200 in chunks', '503 ']);
  },
);
