import { describe, expect, it } from 'vitest';
import { DIALECTS, refused } from '../../../support/error-envelopes.ts';

describe('a code', () => {
  it.each([
    [403, 'unavailable_model', 'PROVIDER_MODEL_NOT_FOUND'],
    [400, 'model_not_available', 'PROVIDER_MODEL_NOT_FOUND'],
    [400, 'model_terms_required', 'PROVIDER_MODEL_NOT_FOUND'],
    [403, 'model_permission_blocked_project', 'PROVIDER_MODEL_NOT_FOUND'],
    [403, 'model_permission_blocked_org', 'PROVIDER_MODEL_NOT_FOUND'],
    [413, 'tokens_limit_reached', 'CONTEXT_LENGTH_EXCEEDED'],
    [400, 'blocked_api_access', 'PROVIDER_QUOTA_EXHAUSTED'],
    [429, '1311', 'PROVIDER_MODEL_NOT_FOUND'],
    [400, 'organization_restricted', 'PROVIDER_AUTH_FAILED'],
  ])('tells by itself at %i: %s', (status, code, reason) => {
    const body = JSON.stringify({ error: { message: 'See our pages.', code } });
    for (const [, adapter] of DIALECTS) expect(refused(adapter, status, body).reason).toBe(reason);
  });
});

it('reads the error that stands behind the words of a bad request', () => {
  const message = `Bad request: ${JSON.stringify({ error: { message: 'the prompt is too long' } })}`;
  const body = JSON.stringify({ error_code: 'BAD_REQUEST', message });
  for (const [, adapter] of DIALECTS) expect(refused(adapter, 400, body).reason).toBe('CONTEXT_LENGTH_EXCEEDED');
});

it('reads that a guardrail was triggered, which is named like a code', () => {
  const body = JSON.stringify({ error_code: 'BAD_REQUEST', message: 'Invalid input: input_guardrail triggered' });
  for (const [, adapter] of DIALECTS) expect(refused(adapter, 400, body).reason).toBe('PROMPT_BLOCKED');
});

it('takes a result without its call for the fault of the caller, as misspelt as it is said', () => {
  const message = "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.";
  expect(refused(DIALECTS[0][1], 400, JSON.stringify({ error: { message } })).unrecognised).toBeUndefined();
});

it('takes a tier without room, which Groq gives a status of its own, for an overload', () => {
  const body = JSON.stringify({ error: { message: 'No room in this tier', type: 'capacity_exceeded' } });
  for (const [, adapter] of DIALECTS) expect(refused(adapter, 498, body).class).toBe('overload');
});
