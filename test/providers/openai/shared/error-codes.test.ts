import { describe, expect, it } from 'vitest';
import { deepseek } from '../../../../src/providers/deepseek.ts';
import { openai } from '../../../../src/providers/openai.ts';

const SECRET = 'sk-secret at https://internal.example';

function failing(status: number, body: unknown) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return openai('responses').failure({ status, headers: {}, body: text, wallMs: 0 });
}

function error(code: unknown, more: Readonly<Record<string, unknown>> = {}) {
  return { error: { message: SECRET, type: 'invalid_request_error', param: null, code, ...more } };
}

describe('an error of the OpenAI family', () => {
  it.each([
    [429, error('insufficient_quota'), 'quota', 'PROVIDER_QUOTA_EXHAUSTED'],
    [429, error(null, { type: 'insufficient_quota' }), 'quota', 'PROVIDER_QUOTA_EXHAUSTED'],
    [429, error('rate_limit_exceeded', { type: 'tokens' }), 'rate_limit', 'PROVIDER_RATE_LIMITED'],
    [429, error('x', { message: 'Request too large for m' }), 'capability', 'CONTEXT_LENGTH_EXCEEDED'],
    [400, error('context_length_exceeded'), 'capability', 'CONTEXT_LENGTH_EXCEEDED'],
    [500, error('context_length_exceeded'), 'capability', 'CONTEXT_LENGTH_EXCEEDED'],
    [400, error('x', { message: "This model's maximum context length is 9" }), 'capability', 'CONTEXT_LENGTH_EXCEEDED'],
    [400, error('unsupported_parameter'), 'capability', 'UNSUPPORTED_PARAMETER'],
    [400, error('unsupported_value'), 'capability', 'UNSUPPORTED_PARAMETER'],
    [400, error('invalid_encrypted_content'), 'capability', 'UNSUPPORTED_PARAMETER'],
    [
      400,
      error('invalid_value', {
        message: 'max_tokens is too large: 9. This model supports at most 4 completion tokens',
      }),
      'capability',
      'UNSUPPORTED_PARAMETER',
    ],
    [
      400,
      error(null, { message: '`max_tokens` must be at most `8`, the maximum value for `max_tokens` is less than …' }),
      'capability',
      'UNSUPPORTED_PARAMETER',
    ],
    [
      400,
      error(null, { message: 'Invalid max_tokens value, the valid range of max_tokens is [1, 8192]' }),
      'capability',
      'UNSUPPORTED_PARAMETER',
    ],
    [400, error(null, { message: "Unsupported parameter: 'x'" }), 'capability', 'UNSUPPORTED_PARAMETER'],
    [
      400,
      error('x', { message: 'Thinking mode does not support this tool_choice' }),
      'capability',
      'UNSUPPORTED_PARAMETER',
    ],
    [
      400,
      error(null, { message: 'image_url is only supported by certain models.' }),
      'capability',
      'UNSUPPORTED_PARAMETER',
    ],
    [
      413,
      error('rate_limit_exceeded', { message: 'Request too large for m' }),
      'capability',
      'CONTEXT_LENGTH_EXCEEDED',
    ],
    [400, error(null, { message: 'Unrecognized request argument supplied: chat' }), 'bad_request', 'INVALID_REQUEST'],
    [
      400,
      error(null, { message: 'Unrecognized request arguments supplied: n, max_completion_tokens' }),
      'capability',
      'UNSUPPORTED_PARAMETER',
    ],
    [400, error('invalid_request_error', { message: 'Content Exists Risk', param: null }), 'content', 'PROMPT_BLOCKED'],
    [400, error(null, { param: 'reasoning_effort' }), 'capability', 'UNSUPPORTED_PARAMETER'],
    [400, error('model_not_found'), 'not_found', 'PROVIDER_MODEL_NOT_FOUND'],
    [403, error('model_not_found'), 'not_found', 'PROVIDER_MODEL_NOT_FOUND'],
    [404, error('DeploymentNotFound'), 'not_found', 'PROVIDER_MODEL_NOT_FOUND'],
    [400, error('content_policy_violation'), 'content', 'PROMPT_BLOCKED'],
    [400, error(null, { innererror: { code: 'ResponsibleAIPolicyViolation' } }), 'content', 'PROMPT_BLOCKED'],
    [401, error('invalid_api_key'), 'auth', 'PROVIDER_AUTH_FAILED'],
    [403, error(null), 'auth', 'PROVIDER_AUTH_FAILED'],
    [402, error('invalid_request_error'), 'quota', 'PROVIDER_QUOTA_EXHAUSTED'],
    [408, 'upstream request timeout', 'overload', 'PROVIDER_UNAVAILABLE'],
    [409, error(null), 'conflict', 'PROVIDER_UNAVAILABLE'],
    [425, '', 'conflict', 'PROVIDER_UNAVAILABLE'],
    [422, 'Failed to deserialize', 'bad_request', 'INVALID_REQUEST'],
    [405, '<html>', 'bad_request', 'INVALID_REQUEST'],
    [413, '', 'bad_request', 'INVALID_REQUEST'],
    [400, error('invalid_value'), 'bad_request', 'INVALID_REQUEST'],
    [500, error('server_error'), 'overload', 'PROVIDER_UNAVAILABLE'],
    [503, 'overloaded', 'overload', 'PROVIDER_UNAVAILABLE'],
    [529, '', 'overload', 'PROVIDER_UNAVAILABLE'],
    [302, '', 'protocol', 'PROVIDER_PROTOCOL_ERROR'],
    [999, '', 'protocol', 'PROVIDER_PROTOCOL_ERROR'],
    [404, { object: 'error', message: 'x', type: 'NotFoundError', code: 404 }, 'not_found', 'PROVIDER_MODEL_NOT_FOUND'],
    [400, { error: 'prompt exceeds the context window' }, 'capability', 'CONTEXT_LENGTH_EXCEEDED'],
  ])('%i %j is %s, %s', (status, body, failureClass, reason) => {
    const failure = failing(status, body);
    expect(failure).toMatchObject({ class: failureClass, reason, httpStatus: status });
    expect(JSON.stringify(failure)).not.toContain('secret');
  });

  it.each([
    ['max_tokens', 'options.max_tokens'],
    ['max_output_tokens', 'options.max_tokens'],
    ['temperature', 'options.temperature'],
    ['reasoning.effort', 'options.reasoning_effort'],
    ['text.format', 'options.response_format'],
    ['messages[0].role', 'messages'],
    ['input', 'messages'],
    ['my_secret_param', undefined],
    [null, undefined],
  ])('that blames %s names the field %s', (param, field) => {
    expect(failing(400, error('unsupported_value', { param })).field).toBe(field);
  });

  it('blames no field where the request is not at fault', () => {
    expect(failing(401, error('invalid_api_key', { param: 'model' }))).not.toHaveProperty('field');
  });

  it('keeps a code that is one, and the type where there is none', () => {
    expect(failing(400, error('invalid_value')).providerCode).toBe('invalid_value');
    expect(failing(429, error(429)).providerCode).toBe('429');
    expect(failing(400, error(null)).providerCode).toBe('invalid_request_error');
    expect(failing(400, error('no code, a sentence', { type: 'x'.repeat(65) }))).not.toHaveProperty('providerCode');
  });

  it('carries what the headers say', () => {
    const headers = { 'retry-after': '2', 'x-should-retry': 'false' };
    expect(deepseek.failure({ status: 429, headers, body: '{}', wallMs: 0 })).toMatchObject({
      class: 'rate_limit',
      retryAfterMs: 2_000,
      repeatIsUseless: true,
    });
  });
});
