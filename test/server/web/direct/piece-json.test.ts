import { create, toJsonString } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StreamChatResponseSchema } from '../../../../gen/understudy/v1/llm_pb.ts';
import { isPieceEvent } from '../../../../src/server/grpc/streams/piece-event.ts';
import { pieceJson } from '../../../../src/server/web/direct/piece-json.ts';

const PIECE = fc
  .record({
    sequence: fc.oneof(fc.bigInt({ min: 1n, max: 300n }), fc.bigInt({ min: 1n, max: 2n ** 53n })),
    kind: fc.constantFrom('textDelta' as const, 'reasoningDelta' as const),
    partIndex: fc.oneof(fc.nat(3), fc.nat()),
    text: fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'binary' }),
      fc.constantFrom('"\\\u2028\0</', '\ud83d'),
    ),
  })
  .map(({ sequence, kind, partIndex, text }) =>
    create(StreamChatResponseSchema, { sequence, event: { case: kind, value: { partIndex, text } } }),
  );

test('a piece is written in JSON as the library does it, or not at all where half a character is in it', () => {
  fc.assert(
    fc.property(PIECE, (message) => {
      if (!isPieceEvent(message)) return;
      const wanted = message.event.value.text.isWellFormed()
        ? toJsonString(StreamChatResponseSchema, message)
        : undefined;
      expect(pieceJson(message)).toBe(wanted);
    }),
    { numRuns: 2_000 },
  );
});
