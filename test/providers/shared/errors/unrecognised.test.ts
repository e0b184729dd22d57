import { describe, expect, it } from 'vitest';
import { openai } from '../../../../src/providers/openai.ts';
import { DIALECTS, refused } from '../../../support/error-envelopes.ts';

describe.each(DIALECTS)('a refusal of a request in answers of %s', (_, adapter) => {
  it.each([
    [400, { error: { message: 'Something is wrong.', type: 'invalid_request_error', code: null } }],
    [400, { error: { message: 'Something is wrong.', type: 'BadRequestError', code: 400 } }],
    [422, { detail: 'Something is wrong.' }],
    [422, { detail: [{ loc: ['body', 'top_k'], msg: 'Field is wrong', type: 'value_error' }] }],
    [400, {}],
    [400, 'Bad Request'],
    [400, ''],
  ])('of status %i that says %j is marked as one that may be of this server alone', (status, body) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    expect(refused(adapter, status, text)).toMatchObject({ class: 'bad_request', unrecognised: true });
  });

  it.each([
    [{ error: { message: 'x', type: 'invalid_request_error', code: 'missing_required_parameter' } }],
    [{ error: { message: 'x', type: 'image_parse_error' } }],
    [
      {
        error: {
          message: "An assistant message with 'tool_calls' must be followed by tool messages responding to each",
        },
      },
    ],
    [{ error: { message: 'messages.1: `tool_use` ids were found without `tool_result` blocks immediately after' } }],
    [{ error: { message: 'messages must not be empty' } }],
    [{ error: { message: 'Invalid request: tool_call_id  is not found' } }],
    [{ error: { message: "'messages' must contain the word 'json' somewhere" } }],
  ])('that says what is wrong with the request is not: %j', (body) => {
    const failure = refused(adapter, 400, JSON.stringify(body));
    expect(failure.class).toBe('bad_request');
    expect(failure).not.toHaveProperty('unrecognised');
  });

  it('is marked inside an answer, too', () => {
    const error = { message: 'Something is wrong.', type: 'invalid_request_error' };
    const [event] = adapter.events()({ name: 'error', data: JSON.stringify({ type: 'error', error }) });
    expect(event).toMatchObject({ failure: { class: 'bad_request', unrecognised: true } });
  });

  it.each([401, 402, 403, 404, 405, 409, 413, 429, 500, 503])('is not what status %i is', (status) => {
    expect(refused(adapter, status, '{}')).not.toHaveProperty('unrecognised');
  });
});

describe('a field that a server does not know', () => {
  const refusal = (loc: readonly string[]) =>
    JSON.stringify({ message: { detail: [{ type: 'extra_forbidden', loc, msg: 'Extra inputs are not permitted' }] } });
  const chat = openai('chat_completions');

  it('is none that the caller is to blame for, where the contract or the gateway wrote it', () => {
    expect(refused(chat, 422, refusal(['body', 'stream_options', 'include_usage']))).toMatchObject({
      class: 'capability',
      reason: 'UNSUPPORTED_PARAMETER',
    });
    expect(refused(chat, 422, refusal(['body', 'seed']))).toMatchObject({ class: 'capability', field: 'options.seed' });
  });

  it('is one of this server where the caller wrote it', () => {
    expect(refused(chat, 422, refusal(['body', 'top_k']))).toMatchObject({ class: 'bad_request', unrecognised: true });
  });
});
