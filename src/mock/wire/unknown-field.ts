import type { ErrorHouse, WireError } from './error-format.ts';

type Refuse = (field: string, requestId: string) => WireError;

const INVALID = 'invalid_request_error';

/** What each says of a field of a request that it does not know; some overlook it. */
const REFUSALS = {
  openai_chat: unrecognized,
  openai_responses: (field) =>
    refusal(400, {
      error: { message: `Unknown parameter: '${field}'.`, type: INVALID, param: field, code: 'unknown_parameter' },
    }),
  azure: unrecognized,
  mistral: (field) => {
    const detail = [{ type: 'extra_forbidden', loc: ['body', field], msg: 'Extra inputs are not permitted' }];
    return refusal(422, { object: 'error', message: { detail }, type: INVALID, param: null, code: null });
  },
  anthropic: (field, requestId) => {
    const error = { details: null, type: INVALID, message: `${field}: Extra inputs are not permitted` };
    return refusal(400, { type: 'error', error, request_id: requestId });
  },
  deepseek: undefined,
  ollama: undefined,
} as const satisfies Record<ErrorHouse, Refuse | undefined>;

/** Returns the error of a provider about a field that it does not know; undefined where it overlooks the field. */
export function unknownFieldError(house: ErrorHouse, field: string, requestId: string): WireError | undefined {
  return REFUSALS[house]?.(field, requestId);
}

function unrecognized(field: string): WireError {
  const message = `Unrecognized request argument supplied: ${field}`;
  return refusal(400, { error: { message, type: INVALID, param: null, code: null } });
}

function refusal(status: number, body: unknown): WireError {
  return { status, body: JSON.stringify(body) };
}
