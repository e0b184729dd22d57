import { create, type DescEnum, type DescField, type DescMessage, ScalarType, toBinary } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MessageSchema, Role } from '../../../../gen/understudy/v1/chat_pb.ts';
import { ChatResponseSchema, HealthResponseSchema } from '../../../../gen/understudy/v1/llm_pb.ts';
import { encodeMessage } from '../../../../src/server/grpc/calls/encode-message.ts';

const INT32 = { min: -(2 ** 31), max: 2 ** 31 - 1 };
const TEXT = fc.oneof(
  fc.constant(''),
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 400 }).map((text) => text.toWellFormed()),
);

const SCALARS: Partial<Record<ScalarType, fc.Arbitrary<unknown>>> = {
  [ScalarType.STRING]: TEXT,
  [ScalarType.INT32]: fc.oneof(fc.constant(0), fc.integer(INT32)),
  [ScalarType.INT64]: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  [ScalarType.DOUBLE]: fc.oneof(fc.constantFrom(0, -0), fc.double()),
  [ScalarType.BOOL]: fc.boolean(),
  [ScalarType.BYTES]: fc.uint8Array({ maxLength: 20 }),
};

function scalar(type: ScalarType): fc.Arbitrary<unknown> {
  const found = SCALARS[type];
  if (found === undefined) throw new Error(`no values for ${ScalarType[type]}`);
  return found;
}

function enumValue({ values }: DescEnum): fc.Arbitrary<number> {
  return fc.constantFrom(...values.map(({ number }) => number));
}

/** Values of a field in the shape that `create` takes. */
function field(desc: DescField, depth: number): fc.Arbitrary<unknown> {
  switch (desc.fieldKind) {
    case 'scalar':
      return scalar(desc.scalar);
    case 'enum':
      return enumValue(desc.enum);
    case 'message':
      return message(desc.message, depth - 1);
    case 'list': {
      const items =
        desc.listKind === 'message'
          ? message(desc.message, depth - 1)
          : desc.listKind === 'enum'
            ? enumValue(desc.enum)
            : scalar(desc.scalar);
      return fc.array(items, { maxLength: 3 });
    }
    case 'map':
      if (desc.mapKind !== 'scalar') throw new Error('no values for such maps');
      return fc.dictionary(TEXT, scalar(desc.scalar), { maxKeys: 3 });
  }
}

/** Any message of a schema, by whatever the contract says of it, with messages in it to some depth. */
function message(desc: DescMessage, depth: number): fc.Arbitrary<object> {
  const isShallow = (member: DescField): boolean => depth > 0 || !('message' in member) || member.message === undefined;
  const fields: Record<string, fc.Arbitrary<unknown>> = {};
  for (const member of desc.members) {
    if (member.kind === 'oneof') {
      const cases = member.fields
        .filter(isShallow)
        .map((each) => fc.record({ case: fc.constant(each.localName), value: field(each, depth) }));
      fields[member.localName] = fc.oneof(fc.constant({ case: undefined }), ...cases);
    } else if (isShallow(member)) {
      fields[member.localName] = field(member, depth);
    }
  }
  return fc.record(fields, { requiredKeys: [] });
}

describe('an answer of Chat', () => {
  test('is encoded as the library does it, whatever its fields hold', () => {
    const responses = message(ChatResponseSchema, 3).map((init) => create(ChatResponseSchema, init));
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
    for (const init of fc.sample(message(ChatResponseSchema, 3), 200)) {
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
