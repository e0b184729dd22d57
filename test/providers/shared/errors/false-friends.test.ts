import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DIALECTS, refused } from '../../../support/error-envelopes.ts';

const INVALID = 'INVALID_REQUEST';
const LIMITED = 'PROVIDER_RATE_LIMITED';
const FAILED = 'PROVIDER_UNAVAILABLE';

/** Words that are near those of another kind. */
const SAID: readonly (readonly [status: number, words: string, reason: string])[] = [
  [400, 'messages[0]: unknown field `balance`', INVALID],
  [400, "Invalid 'metadata': string too long. Expected a string with maximum length 64.", INVALID],
  [400, "Invalid 'tools[0].name': string too long.", INVALID],
  [400, "Tool 'search' does not exist", INVALID],
  [400, 'The file file_1 does not exist in this project', INVALID],
  [400, "Previous response with id 'resp_1' not found.", INVALID],
  [400, 'max_tokens must be greater than 0', INVALID],
  [400, 'temperature must be between 0 and 2', INVALID],
  [400, 'Request rejected: content must not be empty', INVALID],
  [400, 'Unexpected token in JSON at position 9', INVALID],
  [400, 'tokens must be positive', INVALID],
  [400, "Function 'insufficient_balance' is declared twice", INVALID],
  [400, "model 'insufficient-credits-bot' not found", 'PROVIDER_MODEL_NOT_FOUND'],
  [400, "Function 'check.billing' exceeded the monthly 'usage-limit' of names", INVALID],
  [400, "Function 'weekly-limit-reached' is declared twice", INVALID],
  [400, "Function 'rate-limit-reached' is declared twice", INVALID],
  [400, 'Invalid value for user: insufficient balance', INVALID],
  [400, 'Invalid value for user: API key not valid', INVALID],
  [400, 'Invalid parameter of metadata.note: monthly limit reached', INVALID],
  [400, "Invalid value for 'user': insufficient balance", INVALID],
  [400, 'Invalid value for field tools[0].name: too many requests', INVALID],
  [400, 'Invalid parameter in request: insufficient balance', 'PROVIDER_QUOTA_EXHAUSTED'],
  [400, 'Invalid value for stop. Insufficient balance', 'PROVIDER_QUOTA_EXHAUSTED'],
  [400, "Invalid value for 'messages[0].name': API key not valid", INVALID],
  [400, "Invalid 'user': insufficient balance", INVALID],
  [400, 'Invalid value: insufficient balance', INVALID],
  [400, 'Invalid value for user: about my credit balance and spend limit', INVALID],
  [400, 'Invalid value for user: the model x does not exist', INVALID],
  [400, "Invalid value for 'model': the model x does not exist", 'PROVIDER_MODEL_NOT_FOUND'],
  [400, "Invalid value: 'x' is not a valid model", 'PROVIDER_MODEL_NOT_FOUND'],
  [400, 'Invalid value for model: x is not a valid model', 'PROVIDER_MODEL_NOT_FOUND'],
  [400, 'Unknown tool: insufficient_balance', INVALID],
  [400, 'Function insufficient_balance has no schema', INVALID],
  [400, 'The tool quota of this account: insufficient_balance', 'PROVIDER_QUOTA_EXHAUSTED'],
  [400, "Invalid value for 'api_key': API key not valid", 'PROVIDER_AUTH_FAILED'],
  [403, 'Invalid value for api_key: API key not valid', 'PROVIDER_AUTH_FAILED'],
  [403, 'You need a subscription key', 'PROVIDER_AUTH_FAILED'],
  [403, 'This API requires a subscription key', 'PROVIDER_AUTH_FAILED'],
  [400, 'The image URL token has expired', INVALID],
  [400, 'This is a bad request about billing', INVALID],
  [429, 'You exceeded your current quota, please check your plan and billing details. Please retry in 45.8s.', LIMITED],
  [
    429,
    'Rate limit reached for x on tokens per minute. Please try again in 6s. Need more? Upgrade your billing.',
    LIMITED,
  ],
  [429, 'Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free requests per day', LIMITED],
  [429, 'Input tokens per minute exceed the limit of 20000', LIMITED],
  [429, 'Too many tokens, please wait before trying again.', LIMITED],
  [429, 'The model is not available at this rate', LIMITED],
  [500, 'Internal Server Error', FAILED],
  [500, 'The model produced invalid content. Try again.', FAILED],
  [502, 'Provider returned error', FAILED],
  [503, 'The model is overloaded. Please try again later.', FAILED],
  [503, 'This model is currently not available', FAILED],
  [503, 'no healthy upstream', FAILED],
  [401, 'Your account was flagged', 'PROVIDER_AUTH_FAILED'],
  [403, 'Forbidden', 'PROVIDER_AUTH_FAILED'],
  [403, 'You have insufficient permissions for this operation', 'PROVIDER_AUTH_FAILED'],
];

describe.each(DIALECTS)('in answers of %s', (_, adapter) => {
  it.each(SAID)('%i "%s" is %s', (status, message, reason) => {
    const type = 'invalid_request_error';
    expect(refused(adapter, status, JSON.stringify({ error: { message, type } })).reason).toBe(reason);
    expect(refused(adapter, status, JSON.stringify({ detail: message })).reason).toBe(reason);
  });
});

/** What would decide if a server said it. */
const TELLING = [
  'insufficient balance',
  'maximum context length is 5 tokens',
  'the model x does not exist',
  'API key not valid',
  'your input was flagged',
  'does not support images',
  'response_format is not supported',
  'Request too large',
  'rate limit exceeded',
  'Extra inputs are not permitted',
  '余额不足',
];

const ECHO = fc
  .array(fc.oneof(fc.constantFrom(...TELLING), fc.lorem({ maxCount: 6 })), { minLength: 2, maxLength: 6 })
  .map((texts) => texts.join('. '));

/** Where servers repeat what they were sent. */
const ECHOING: readonly (readonly [status: number, body: (echo: string) => unknown])[] = [
  [422, (input) => ({ detail: [{ type: 'missing', loc: ['body', 'x'], msg: 'Field required', input }] })],
  [
    422,
    (echo) => ({ detail: [{ type: 'missing', loc: ['body', 'x'], msg: 'Field required', input: { message: echo } }] }),
  ],
  [
    400,
    (echo) => ({
      object: 'error',
      message: `[{'type': 'missing', 'loc': ('body', 'x'), 'msg': 'Field required', 'input': {'content': '${echo}'}}]`,
    }),
  ],
  [
    400,
    (echo) => ({
      object: 'error',
      message: `1 validation error:\n  {'type': 'missing', 'loc': ('body', 'x'), 'msg': 'Field required', 'input': {'a': '${echo}'}}`,
    }),
  ],
  [
    400,
    (echo) => ({
      error: {
        message: `Input should be a valid string [type=string_type, input_value={'a': ${echo}}, input_type=dict]`,
      },
    }),
  ],
  [400, (echo) => ({ error: { message: `Invalid value: "${echo}". Another value is needed.` } })],
  [400, (echo) => ({ error: { message: `Cannot read '${echo}' as a role` } })],
  [400, (echo) => ({ error: { message: `unknown role \`${echo}\`, expected one of …` } })],
  [
    400,
    (echo) => ({
      error: { message: 'Something is wrong', metadata: { flagged_input: echo, messages: [{ content: echo }] } },
    }),
  ],
  [400, (echo) => ({ error: { message: 'Something is wrong' }, request: { prompt: echo } })],
  [500, (echo) => ({ error: { message: `Cannot render "${echo}"` } })],
  [401, (echo) => ({ error: { message: `Unauthorized, you said “${echo}”` } })],
];

describe('what a caller wrote', () => {
  it('decides nothing where a server repeats it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...DIALECTS),
        fc.constantFrom(...ECHOING),
        ECHO,
        ([, adapter], [status, body], echo) => {
          const quiet = refused(adapter, status, JSON.stringify(body('some words')));
          expect(refused(adapter, status, JSON.stringify(body(echo)))).toEqual(quiet);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('decides nothing where it is longer than what is read of an error', () => {
    const message = `Cannot read "${'What now? '.repeat(400)}insufficient balance ${'What now? '.repeat(400)}"`;
    const failure = refused(DIALECTS[0][1], 400, JSON.stringify({ error: { message } }));
    expect(failure.class).toBe('bad_request');
  });

  it('is not waited for', () => {
    const body = {
      error: { message: 'Bad request', metadata: { flagged_input: 'retry in 5 s' } },
      messages: { retry_after: 9 },
    };
    for (const [, adapter] of DIALECTS)
      expect(refused(adapter, 400, JSON.stringify(body)).retryAfterMs).toBeUndefined();
  });

  it('takes no time to speak of, however long and odd it is', () => {
    const odd = ['"', "'", '`', '{', '[', 'tokens ', 'model ', 'max_tokens ', '\\', 'retry 1'].map((part) =>
      part.repeat(9_000),
    );
    for (const [, adapter] of DIALECTS) {
      for (const message of odd) refused(adapter, 400, JSON.stringify({ error: { message } }));
    }
  }, 20_000);
});
