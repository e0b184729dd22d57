import { create, type JsonValue, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GenerationOptionsSchema, MessageSchema, Role } from '../../../gen/understudy/v1/chat_pb.ts';
import { type ChatRequest, ChatRequestSchema } from '../../../gen/understudy/v1/llm_pb.ts';
import { lookAtBinary } from '../../../src/server/wire/binary-shape.ts';
import { chatRequests } from '../../support/chat-arbitraries.ts';
import { chat, say } from '../support/requests.ts';

const LIMITS = { fields: 1_000, nesting: 10, textBytes: 10_000 };
const look = (bytes: Uint8Array, limits = LIMITS) => lookAtBinary(ChatRequestSchema, bytes, limits);
const encoded = (changes: Parameters<typeof chat>[0]) => toBinary(ChatRequestSchema, chat(changes));

describe('a look at an encoded message', () => {
  test('counts its fields, those within too', () => {
    // messages, role, content, text; model; labels: two entries of two.
    expect(look(encoded({ messages: [say(Role.USER, 'hi')], model: 'm', labels: { a: 'b', c: 'd' } }))).toBe(11);
    expect(look(new Uint8Array())).toBe(0);
  });

  test('ends at the field that is one too many, known or not', () => {
    const { fields } = LIMITS;
    const messages = (count: number) => Buffer.alloc(2 * count).map((_, index) => (index % 2 === 0 ? 10 : 0));
    expect(look(messages(fields))).toBe(fields);
    expect(look(messages(fields + 1))).toBe('too_many_fields');
    const unknown = Buffer.alloc(3 * (fields + 1)).map((_, index) => [0xf8, 0x7f, 1][index % 3] ?? 0);
    expect(look(unknown)).toBe('too_many_fields');
  });

  test('ends at the message that is one too deep, in groups that nobody knows as well', () => {
    const options = (x: JsonValue) =>
      encoded({ options: create(GenerationOptionsSchema, { providerOptions: { openai: { x } } }) });
    expect(look(options([[null]]))).toBeTypeOf('number');
    expect(look(options([[[null]]]))).toBe('too_deep');
    const groups = (depth: number) => Buffer.concat([Buffer.alloc(depth, 0x7b), Buffer.alloc(depth, 0x7c)]);
    expect(look(groups(9))).toBe(9);
    expect(look(groups(10))).toBe('too_deep');
  });

  test('bounds text, and lets attachments be', () => {
    const image = (bytes: number) => {
      const source = { case: 'data', value: new Uint8Array(bytes) } as const;
      const part = { case: 'image', value: { source } } as const;
      return encoded({ messages: [create(MessageSchema, { role: Role.USER, content: [{ part }] })] });
    };
    expect(look(image(100_000))).toBeTypeOf('number');
    expect(look(encoded({ messages: [say(Role.USER, 'a'.repeat(9_900))] }))).toBeTypeOf('number');
    expect(look(encoded({ messages: [say(Role.USER, 'a'.repeat(10_000))] }))).toBe('too_much_text');
  });

  test.each([
    ['a varint that is cut off', [0x0a, 0x80]],
    ['a varint of eleven bytes', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ['the field 0', [0x02, 0x00]],
    ['a wire type that there is not', [0x0e]],
    ['a length beyond the end', [0x0a, 0x05, 0x00]],
    ['a length beyond the message around it', [0x0a, 0x02, 0x12, 0x04, 0x0a, 0x00, 0x0a, 0x00]],
    ['a message as a number', [0x08, 0x01]],
    ['a text of eight bytes', [0x11, 1, 2, 3, 4, 5, 6, 7, 8]],
    ['a fixed number that is cut off', [0x7d, 0x00]],
    ['a group without an end', [0x7b]],
    ['the end of another group', [0x7b, 0x84, 0x01]],
    ['the end of no group', [0x7c]],
  ])('finds %s', (_name, bytes) => {
    expect(look(Uint8Array.from(bytes))).toBe('malformed');
  });

  test('passes whatever the library writes', () => {
    const limits = { fields: 1e6, nesting: 100, textBytes: 1e9 };
    const passes = (request: ChatRequest): void => {
      expect(look(toBinary(ChatRequestSchema, request), limits)).toBeTypeOf('number');
    };
    fc.assert(fc.property(chatRequests, passes), { numRuns: 300 });
  });
});
