import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';

import type { Part } from '../../gen/understudy/v1/chat_pb.ts';
import { PartSchema, Role } from '../../gen/understudy/v1/chat_pb.ts';
import { ChatRequestSchema } from '../../gen/understudy/v1/llm_pb.ts';
import { promptSize } from '../../src/pricing/prompt-size.ts';

function sizeOf(...parts: Part['part'][]) {
  const content = parts.map((part) => create(PartSchema, { part }));
  return promptSize(create(ChatRequestSchema, { messages: [{ role: Role.USER, content }] }));
}

test('text counts in bytes of UTF-8, reasoning and calls of tools too', () => {
  expect(sizeOf({ case: 'text', value: 'äöü' })).toEqual({ bytes: 6, messages: 1, mediaTokens: 0 });
  expect(sizeOf(create(PartSchema, { part: { case: 'reasoning', value: { text: 'hm' } } }).part).bytes).toBe(2);
  const call = create(PartSchema, { part: { case: 'toolCall', value: { id: 'x', name: 'now', argumentsJson: '{}' } } });
  expect(sizeOf(call.part).bytes).toBe(5);
});

test('a result of a tool counts by what it holds', () => {
  const image = {
    part: { case: 'image', value: { source: { case: 'url', value: 'https://example.com/a.png' } } },
  } as const;
  const text = { part: { case: 'text', value: '12345' } } as const;
  const result = create(PartSchema, {
    part: { case: 'toolResult', value: { toolCallId: 'x', content: [text, image, image] } },
  });
  expect(sizeOf(result.part)).toEqual({ bytes: 5, messages: 1, mediaTokens: 3_000 });
});

test('files of text count as text, others by about fifty kilobytes a page', () => {
  const file = (mediaType: string) =>
    create(PartSchema, { part: { case: 'file', value: { data: new Uint8Array(50_000), mediaType, filename: 'f' } } })
      .part;
  expect(sizeOf(file('text/plain'))).toEqual({ bytes: 50_000, messages: 1, mediaTokens: 0 });
  expect(sizeOf(file('application/json')).bytes).toBe(50_000);
  expect(sizeOf(file('application/pdf'))).toEqual({ bytes: 0, messages: 1, mediaTokens: 2_500 });
});

test('definitions of tools and the schema of the answer count', () => {
  const request = create(ChatRequestSchema, {
    tools: [{ kind: { case: 'function', value: { name: 'now', description: 'time', parametersJson: '{}' } } }],
    options: { responseFormat: { format: { case: 'jsonSchema', value: { name: 'n', schemaJson: '{"a":1}' } } } },
  });
  expect(promptSize(request)).toEqual({ bytes: 16, messages: 0, mediaTokens: 0 });
});
