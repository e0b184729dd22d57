import type { UnknownFieldReply } from '../answer/chat-apis.ts';
import type { WireError } from './error-format.ts';

type Refuse = (field: string, requestId: string) => WireError;

const INVALID = 'invalid_request_error';

const REFUSALS = {
  unrecognized: (field) => {
    const message = `Unrecognized request argument supplied: ${field}`;
    return refusal(400, { error: { message, type: INVALID, param: null, code: null } });
  },
  unknown_parameter: (field) => {
    const message = `Unknown parameter: '${field}'.`;
    return refusal(400, { error: { message, type: INVALID, param: field, code: 'unknown_parameter' } });
  },
  extra_forbidden: (field) => {
    const detail = [{ type: 'extra_forbidden', loc: ['body', field], msg: 'Extra inputs are not permitted' }];
    return refusal(422, { object: 'error', message: { detail }, type: INVALID, param: null, code: null });
  },
  extra_inputs: (field, requestId) => {
    const error = { details: null, type: INVALID, message: `${field}: Extra inputs are not permitted` };
    return refusal(400, { type: 'error', error, request_id: requestId });
  },
  overlooked: undefined,
} as const satisfies Record<UnknownFieldReply, Refuse | undefined>;

/** Returns the error about a field that an API does not know; undefined where it overlooks the field. */
export function unknownFieldError(reply: UnknownFieldReply, field: string, requestId: string): WireError | undefined {
  return REFUSALS[reply]?.(field, requestId);
}

function refusal(status: number, body: unknown): WireError {
  return { status, body: JSON.stringify(body) };
}
