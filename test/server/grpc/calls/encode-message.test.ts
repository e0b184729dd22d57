import { create, toBinary } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MessageSchema, Role } from '../../../../gen/understudy/v1/chat_pb.ts';
import { ChatResponseSchema, HealthResponseSchema } from '../../../../gen/understudy/v1/llm_pb.ts';
import { encodeMessage } from '../../../../src/server/grpc/calls/encode-message.ts';
import { anyMessage } from '../../support/any-message.ts';

describe('an answer of Chat', () => {
  test('is encoded as the library does it, whatever its fields hold', () => {
    const responses = anyMessage(ChatResponseSchema, 3).map((init) => create(ChatResponseSchema, init));
    fc.assert(
      fc.property(responses, (response) => {
        const expected = Buffer.from(toBinary(ChatResponseSchema, response));
        expect(encodeMessage(ChatResponseSchema, response).equals(expected)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test('is tried with every field of its own set', () => {
    const set = new Set<string>();
    for (const init of fc.sample(anyMessage(ChatResponseSchema, 3), 200)) {
      const reflected = reflect(ChatResponseSchema, create(ChatResponseSchema, init));
      for (const each of reflected.fields) if (reflected.isSet(each)) set.add(each.name);
    }
    expect([...set].sort()).toEqual(ChatResponseSchema.fields.map(({ name }) => name).sort());
  });

  test('that is one text is encoded as the library does it, of whatever length', () => {
    for (const length of [0, 1, 127, 128, 16_383, 16_384, 100_000, 3_000_000]) {
      for (const letter of ['a', 'ü', '🦊']) {
        const text = letter.repeat(length);
        const content = [{ part: { case: 'text' as const, value: text } }];
        const answer = create(MessageSchema, { role: Role.ASSISTANT, content });
        const response = create(ChatResponseSchema, { text, message: answer });
        const expected = Buffer.from(toBinary(ChatResponseSchema, response));
        expect(encodeMessage(ChatResponseSchema, response).equals(expected)).toBe(true);
      }
    }
  });

  test('that is long is encoded as the library does it, whatever else it has', () => {
    const long = 'ä'.repeat(50_000);
    const one = (value: string) => ({ part: { case: 'text' as const, value } });
    const reasoning = { part: { case: 'reasoning' as const, value: { text: long } } };
    const answers = [
      { text: long },
      { text: long, message: {} },
      { text: long, message: { role: Role.ASSISTANT, content: [one('')] } },
      { text: long, message: { content: [one(`${long}.`)] } },
      { text: '', message: { role: Role.ASSISTANT, content: [one(long)] } },
      { text: 'short', message: { role: Role.ASSISTANT, content: [one(long)] } },
      { text: long, message: { role: Role.ASSISTANT, content: [reasoning, one(long)] } },
    ];
    for (const answer of answers) {
      const facts = { model: 'model-1', tokensUsed: 3, metadata: { a: 'b' }, requestId: 'id' };
      const response = create(ChatResponseSchema, { ...facts, ...answer });
      const expected = Buffer.from(toBinary(ChatResponseSchema, response));
      expect(encodeMessage(ChatResponseSchema, response).equals(expected)).toBe(true);
    }
  });

  test('that cannot be encoded spoils no other, a long one neither', () => {
    const broken = create(ChatResponseSchema, { text: 'of somebody else', tokensUsed: 0.5 });
    expect(() => encodeMessage(ChatResponseSchema, broken)).toThrow();
    const long = create(ChatResponseSchema, {
      text: 'a'.repeat(100_000),
      model: 'model-1',
      costUsd: 1,
      tokensUsed: 0.5,
    });
    expect(() => encodeMessage(ChatResponseSchema, long)).toThrow();
    const response = create(ChatResponseSchema, { text: 'mine' });
    expect(encodeMessage(ChatResponseSchema, response)).toEqual(Buffer.from(toBinary(ChatResponseSchema, response)));
  });
});

test('any other message may be given as its fields alone', () => {
  const expected = toBinary(HealthResponseSchema, create(HealthResponseSchema, { version: '1' }));
  expect(encodeMessage(HealthResponseSchema, { version: '1' })).toEqual(Buffer.from(expected));
});
