import { describe, expect, it } from 'vitest';
import { anthropic } from '../../../src/providers/anthropic/messages-api.ts';
import { START, STOP, block, fault, piece, readStream } from '../../support/anthropic-samples.ts';
import { answer } from '../../support/chat-samples.ts';

function failing(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return anthropic.failure({ status, headers, body: text, wallMs: 0 });
}

describe('broken answer of the Messages API', () => {
  it.each([
    ['overloaded_error', 'overload'],
    ['api_error', 'overload'],
    ['timeout_error', 'overload'],
    ['some_new_error', 'overload'],
    ['rate_limit_error', 'rate_limit'],
    ['invalid_request_error', 'bad_request'],
    ['request_too_large', 'bad_request'],
    ['authentication_error', 'auth'],
    ['permission_error', 'auth'],
    ['billing_error', 'quota'],
    ['not_found_error', 'not_found'],
    ['conflict_error', 'conflict'],
  ])('ends with a failure at an error event of type %s, first or later', (type, failureClass) => {
    const expected = {
      type: 'failure',
      failure: { class: failureClass, providerCode: type, providerRequestId: 'req_1' },
    };
    expect(readStream(fault(type))).toMatchObject([expected]);
    const text = [block(0, { type: 'text', text: '' }), piece(0, { type: 'text_delta', text: 'He' })];
    const events = readStream(START, ...text, fault(type), piece(0, { type: 'text_delta', text: 'llo' }), STOP);
    expect(events.at(-1)).toMatchObject(expected);
    expect(answer(events).text).toBe('He');
  });

  it.each([
    ['no JSON', '{"type":"content_block_del'],
    ['no object', '[]'],
    ['a delta of a block that never began', JSON.stringify(piece(3, { type: 'text_delta', text: 'x' }))],
    ['a delta without text', JSON.stringify(piece(0, { type: 'text_delta' }))],
    ['a block without index', JSON.stringify({ type: 'content_block_start', content_block: { type: 'text' } })],
    ['a start without message', JSON.stringify({ type: 'message_start' })],
  ])('ends with a protocol failure at %s', (_, data) => {
    const read = anthropic.events();
    read({ name: 'message_start', data: JSON.stringify(START) });
    read({ name: 'content_block_start', data: JSON.stringify(block(0, { type: 'text', text: '' })) });
    expect(read({ name: 'content_block_delta', data })).toMatchObject([{ failure: { class: 'protocol' } }]);
    expect(read({ name: 'message_stop', data: JSON.stringify(STOP) })).toEqual([]);
  });
});

describe('errors of the Messages API', () => {
  it.each([
    [400, fault('invalid_request_error'), 'bad_request', 'INVALID_REQUEST'],
    [
      400,
      fault(
        'invalid_request_error',
        'max_tokens: 9 > 8, which is the maximum allowed number of output tokens for claude-x',
      ),
      'capability',
      'UNSUPPORTED_PARAMETER',
    ],
    [400, fault('invalid_request_error', 'Your credit balance is too low'), 'quota', 'PROVIDER_QUOTA_EXHAUSTED'],
    [400, fault('invalid_request_error', 'The workspace spend limit was hit'), 'quota', 'PROVIDER_QUOTA_EXHAUSTED'],
    [
      400,
      fault('invalid_request_error', 'prompt is too long: 2 tokens > 1 maximum'),
      'capability',
      'CONTEXT_LENGTH_EXCEEDED',
    ],
    [
      400,
      fault('invalid_request_error', 'temperature: Extra inputs are not permitted'),
      'capability',
      'UNSUPPORTED_PARAMETER',
    ],
    [
      400,
      fault('invalid_request_error', '"thinking.type.disabled" is not supported for this model.'),
      'capability',
      'UNSUPPORTED_PARAMETER',
    ],
    [400, fault('invalid_request_error', 'Output blocked by content filtering policy'), 'content', 'PROMPT_BLOCKED'],
    [401, fault('authentication_error'), 'auth', 'PROVIDER_AUTH_FAILED'],
    [402, fault('billing_error'), 'quota', 'PROVIDER_QUOTA_EXHAUSTED'],
    [403, fault('permission_error'), 'auth', 'PROVIDER_AUTH_FAILED'],
    [404, fault('not_found_error', 'model: nonsense'), 'not_found', 'PROVIDER_MODEL_NOT_FOUND'],
    [408, fault('timeout_error'), 'overload', 'PROVIDER_UNAVAILABLE'],
    [409, fault('conflict_error'), 'conflict', 'PROVIDER_UNAVAILABLE'],
    [413, fault('request_too_large'), 'bad_request', 'INVALID_REQUEST'],
    [429, fault('rate_limit_error'), 'rate_limit', 'PROVIDER_RATE_LIMITED'],
    [
      429,
      fault('rate_limit_error', '', { error_code: 'enforced_spend_limit_reached' }),
      'quota',
      'PROVIDER_QUOTA_EXHAUSTED',
    ],
    [
      429,
      fault('rate_limit_error', '', { error_code: 'contract_spend_limit_reached' }),
      'quota',
      'PROVIDER_QUOTA_EXHAUSTED',
    ],
    [429, fault('rate_limit_error', '', { error_code: 'ramp_limit_exceeded' }), 'rate_limit', 'PROVIDER_RATE_LIMITED'],
    [500, fault('api_error'), 'overload', 'PROVIDER_UNAVAILABLE'],
    [503, 'upstream connect error or disconnect/reset before headers', 'overload', 'PROVIDER_UNAVAILABLE'],
    [504, fault('timeout_error'), 'overload', 'PROVIDER_UNAVAILABLE'],
    [529, fault('overloaded_error'), 'overload', 'PROVIDER_UNAVAILABLE'],
    [302, '', 'protocol', 'PROVIDER_PROTOCOL_ERROR'],
  ])('classifies %i %j as %s', (status, body, failureClass, reason) => {
    expect(failing(status, body)).toMatchObject({ class: failureClass, reason, httpStatus: status });
  });

  it.each([
    ['messages.1.content.0: Invalid `signature` in `thinking` block', 'messages'],
    [
      'messages.3.content.7: `thinking` or `redacted_thinking` blocks in the latest message cannot be modified',
      'messages',
    ],
    ['tool_choice: type "tool" and "any" are not supported for this model.', 'tool_choice'],
    ['Thinking may not be enabled when tool_choice forces tool use.', 'tool_choice'],
    ['messages.0.content.0.image.source.base64: image exceeds 5 MB maximum', 'messages'],
  ])('lets another target try where %j, and names the field', (message, field) => {
    const failure = failing(400, fault('invalid_request_error', message));
    expect(failure).toMatchObject({ class: 'capability', reason: 'UNSUPPORTED_PARAMETER', field });
  });

  it('goes by codes before messages', () => {
    const body = fault('invalid_request_error', 'Words', { error_code: 'image_dimensions_too_large' });
    expect(failing(400, body)).toMatchObject({ class: 'capability', providerCode: 'image_dimensions_too_large' });
  });

  it('keeps the code and the id of the call, never the words', () => {
    const secret = 'sk-ant-secret in https://example.com';
    const failure = failing(429, fault('rate_limit_error', secret, { error_code: 'ramp_limit_exceeded' }), {
      'retry-after': '7',
      'x-should-retry': 'false',
    });
    expect(failure).toMatchObject({
      providerCode: 'ramp_limit_exceeded',
      providerRequestId: 'req_1',
      retryAfterMs: 7_000,
      repeatIsUseless: true,
    });
    expect(JSON.stringify(failure)).not.toContain('secret');
    expect(failing(400, fault(secret)).providerCode).toBeUndefined();
  });
});
