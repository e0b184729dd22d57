import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type StreamChatResponse, StreamChatResponseSchema } from '../../../../gen/understudy/v1/llm_pb.ts';
import { MessageFrames } from '../../../../src/server/grpc/streams/message-frames.ts';
import { isPieceEvent } from '../../../../src/server/grpc/streams/piece-event.ts';
import { anyMessage } from '../../support/any-message.ts';

/** Each message behind its prefix, as the library writes it. */
function framed(messages: readonly StreamChatResponse[]): Buffer {
  const frames = messages.map((message) => {
    const bytes = toBinary(StreamChatResponseSchema, message);
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(bytes.byteLength, 1);
    return Buffer.concat([prefix, bytes]);
  });
  return Buffer.concat(frames);
}

function piece(text: string, partIndex = 0, sequence = 1n): StreamChatResponse {
  return create(StreamChatResponseSchema, { sequence, event: { case: 'textDelta', value: { partIndex, text } } });
}

function frame(messages: readonly StreamChatResponse[]) {
  const frames = new MessageFrames();
  for (const message of messages) frames.add(StreamChatResponseSchema, message);
  return frames.take();
}

const PIECE = fc
  .record({
    sequence: fc.oneof(fc.bigInt({ min: 1n, max: 300n }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    kind: fc.constantFrom('textDelta' as const, 'reasoningDelta' as const),
    partIndex: fc.oneof(fc.nat(200), fc.integer()),
    text: fc.oneof(fc.string({ maxLength: 60 }), fc.string({ unit: 'binary', maxLength: 200 })),
  })
  .map(({ sequence, kind, partIndex, text }) =>
    create(StreamChatResponseSchema, { sequence, event: { case: kind, value: { partIndex, text } } }),
  );

describe('messages of a stream', () => {
  test('are written as the library does it, whatever their fields hold', () => {
    const anyEvent = anyMessage(StreamChatResponseSchema, 4).map((init) => create(StreamChatResponseSchema, init));
    fc.assert(
      fc.property(fc.array(fc.oneof(PIECE, anyEvent), { maxLength: 8 }), (messages) => {
        const { bytes, messages: count } = frame(messages);
        expect(bytes.equals(framed(messages))).toBe(true);
        expect(count).toBe(messages.length);
      }),
      { numRuns: 2_000 },
    );
  });

  test('that are pieces of text are written as the library does it, of whatever length', () => {
    for (const length of [1, 47, 48, 49, 120, 121, 127, 128, 16_383, 16_384, 70_000, 2_000_000]) {
      for (const letter of ['a', 'ü', '🦊', '\ud800', '\udc00']) {
        const messages = [piece('before'), piece(letter.repeat(length), 300, 2n), piece('behind', 1, 2n ** 53n - 1n)];
        expect(messages.every(isPieceEvent)).toBe(true);
        expect(frame(messages).bytes.equals(framed(messages))).toBe(true);
      }
    }
  });

  test('that cannot be encoded are not added, and spoil no other', () => {
    const frames = new MessageFrames();
    frames.add(StreamChatResponseSchema, piece('mine'));
    expect(() => frames.add(StreamChatResponseSchema, piece('not mine', 0.5))).toThrow();
    expect(frames.take().bytes.equals(framed([piece('mine')]))).toBe(true);
    expect(frames.take()).toEqual({ bytes: Buffer.alloc(0), messages: 0 });
  });

  test('keep their bytes when others are written', () => {
    const frames = new MessageFrames();
    frames.add(StreamChatResponseSchema, piece('first'));
    const first = frames.take();
    frames.add(StreamChatResponseSchema, piece('later'));
    frames.take();
    expect(first).toEqual({ bytes: framed([piece('first')]), messages: 1 });
  });
});
