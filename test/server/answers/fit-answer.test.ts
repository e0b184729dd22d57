import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { ChatResponseSchema, GenerateResponseSchema } from '../../../gen/understudy/v1/llm_pb.ts';
import { fitAnswer } from '../../../src/server/answers/fit-answer.ts';

const MOST = 1024 * 1024;
/** What is kept for the rest of an answer. */
const REST = 256 * 1024;

const chatOf = (text: string, reasoning = '') => {
  const content = [
    { part: { case: 'text', value: text } } as const,
    { part: { case: 'reasoning', value: { text: reasoning } } } as const,
    { part: { case: 'toolCall', value: { argumentsJson: '{}' } } } as const,
  ];
  return create(ChatResponseSchema, { text, message: { content } });
};

test('the text of Chat stands in it twice where it fits', () => {
  const response = chatOf('a'.repeat((MOST - REST) / 2 - 1));
  expect(fitAnswer(response, MOST)).toBe(true);
  expect([response.text.length, response.metadata]).toEqual([(MOST - REST) / 2 - 1, {}]);
});

test('where it would not fit twice it stands in the message alone, and the answer says so', () => {
  const text = 'ä'.repeat((MOST - REST) / 2 - 1);
  const response = chatOf(text);
  expect(fitAnswer(response, MOST)).toBe(true);
  expect([response.text, response.metadata]).toEqual(['', { text_left_out: 'true' }]);
  expect(response.message?.content[0]?.part.value).toBe(text);
});

test('what does not fit once does not fit', () => {
  expect(fitAnswer(chatOf('a'.repeat(MOST - REST), 'b'), MOST)).toBe(false);
  expect(fitAnswer(chatOf('', 'b'.repeat(MOST - REST)), MOST)).toBe(false);
  expect(fitAnswer(create(GenerateResponseSchema, { text: 'ä'.repeat((MOST - REST) / 2) }), MOST)).toBe(true);
  expect(fitAnswer(create(GenerateResponseSchema, { text: 'ä'.repeat((MOST - REST) / 2 + 1) }), MOST)).toBe(false);
});
