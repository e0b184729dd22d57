import { create } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';

import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import { ChatRequestSchema } from '../../gen/understudy/v1/llm_pb.ts';
import { capabilityGap } from '../../src/request-plan/capability-gap.ts';
import type { Capability } from '../../src/providers/port/model-facts.ts';

const able = (...capabilities: Capability[]) => ({ capabilities: new Set(capabilities) });

function request(...content: object[]) {
  return create(ChatRequestSchema, { messages: [{ role: Role.USER, content }] });
}

const text = { part: { case: 'text', value: 'Hi' } };
const image = { part: { case: 'image', value: { source: { case: 'url', value: 'https://example.com/a.png' } } } };
const file = { part: { case: 'file', value: { mediaType: 'application/pdf' } } };

it('a prompt that is far above the window does not fit; one that may fit is left to the provider', () => {
  const facts = { contextWindow: 8_000 };
  expect(capabilityGap(request(text), 12_000, facts)).toBeUndefined();
  expect(capabilityGap(request(text), 12_001, facts)).toMatchObject({
    class: 'capability',
    reason: 'CONTEXT_LENGTH_EXCEEDED',
    field: 'messages',
  });
  expect(capabilityGap(request(text), 1e9, {})).toBeUndefined();
});

it('an image or a file needs a model that reads them, also in the result of a tool', () => {
  expect(capabilityGap(request(text, image), 1, able('tools'))).toMatchObject({
    field: 'messages[0].content[1].image',
  });
  expect(capabilityGap(request(file), 1, able('image_input'))).toMatchObject({ field: 'messages[0].content[0].file' });
  const result = { part: { case: 'toolResult', value: { toolCallId: '1', content: [text, image] } } };
  expect(capabilityGap(request(result), 1, able('file_input'))).toMatchObject({
    reason: 'UNSUPPORTED_PARAMETER',
    field: 'messages[0].content[0].tool_result.content[1].image',
  });
  expect(capabilityGap(request(image, file, result), 1, able('image_input', 'file_input'))).toBeUndefined();
});

it('tools need a model that has them', () => {
  const asked = create(ChatRequestSchema, { tools: [{ kind: { case: 'function', value: { name: 'f' } } }] });
  expect(capabilityGap(asked, 1, able())).toMatchObject({ field: 'tools' });
  expect(capabilityGap(asked, 1, able('tools'))).toBeUndefined();
});

it('what is not known is not missing', () => {
  expect(capabilityGap(request(image, file), 1, { contextWindow: 10 })).toBeUndefined();
});

it('an answer in JSON needs a model that has it in one form or another', () => {
  const asks = create(ChatRequestSchema, {
    options: { responseFormat: { format: { case: 'jsonSchema', value: { name: 'a', schemaJson: '{}' } } } },
  });
  expect(capabilityGap(asks, 1, able('tools'))).toMatchObject({
    reason: 'UNSUPPORTED_PARAMETER',
    field: 'options.response_format',
  });
  expect(capabilityGap(asks, 1, able('json_object'))).toBeUndefined();
  expect(capabilityGap(asks, 1, able('json_schema'))).toBeUndefined();
});
