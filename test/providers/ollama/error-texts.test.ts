import { describe, expect, it } from 'vitest';
import { ollama } from '../../../src/providers/ollama/chat-api.ts';

function failing(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return ollama.failure({ status, headers, body: text, wallMs: 0 });
}

describe('errors of Ollama', () => {
  it.each([
    [400, 'invalid message', 'bad_request', 'INVALID_REQUEST', undefined],
    [400, 'the input length exceeds the context length', 'capability', 'CONTEXT_LENGTH_EXCEEDED', undefined],
    [400, 'registry.ollama.ai/library/gemma:2b does not support tools', 'capability', 'UNSUPPORTED_PARAMETER', 'tools'],
    [400, '"gemma3:1b" does not support thinking', 'capability', 'UNSUPPORTED_PARAMETER', 'options.reasoning_effort'],
    [400, '"all-minilm" does not support chat', 'capability', 'UNSUPPORTED_PARAMETER', undefined],
    [400, 'model "nope" not found, try pulling it first', 'not_found', 'PROVIDER_MODEL_NOT_FOUND', undefined],
    [404, "model 'nope' not found", 'not_found', 'PROVIDER_MODEL_NOT_FOUND', undefined],
    [401, 'unauthorized', 'auth', 'PROVIDER_AUTH_FAILED', undefined],
    [403, 'cloud is disabled', 'auth', 'PROVIDER_AUTH_FAILED', undefined],
    [429, 'too many requests', 'rate_limit', 'PROVIDER_RATE_LIMITED', undefined],
    [500, 'llama runner process has terminated', 'overload', 'PROVIDER_UNAVAILABLE', undefined],
    [502, 'cloud model cannot be reached', 'overload', 'PROVIDER_UNAVAILABLE', undefined],
    [
      503,
      'server busy, please try again.  maximum pending requests exceeded',
      'overload',
      'PROVIDER_UNAVAILABLE',
      undefined,
    ],
  ])('classifies %i "%s" as %s', (status, error, failureClass, reason, field) => {
    const failure = failing(status, { error });
    expect(failure).toMatchObject({ class: failureClass, reason, httpStatus: status });
    expect(failure.field).toBe(field);
    expect(JSON.stringify(failure)).not.toContain(error);
  });

  it('goes by the status where the body is no JSON, and honours a hint to wait', () => {
    expect(failing(502, '<html>Bad gateway</html>', { 'retry-after': '3' })).toMatchObject({
      class: 'overload',
      retryAfterMs: 3_000,
    });
  });
});
