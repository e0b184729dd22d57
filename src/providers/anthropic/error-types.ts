import type { Failure } from '../../core/failure.ts';
import type { ErrorResponse } from '../port/adapter.ts';
import { errorHeaders } from '../shared/headers/retry-after.ts';
import { asRecord, parseJson, textOf, wordOf } from '../shared/json/value.ts';
import type { ProviderFailureClass } from '../shared/provider-failure.ts';
import { classOfStatus, contextLengthExceeded, providerFailure } from '../shared/provider-failure.ts';

/** Too long is a kind of its own: a larger model may take the request. */
type FailureKind = ProviderFailureClass | 'context_length';

/** Kinds by `error.type`. Source: https://platform.claude.com/docs/en/api/errors */
const KIND_BY_TYPE: ReadonlyMap<string, FailureKind> = new Map<string, FailureKind>([
  ['invalid_request_error', 'bad_request'],
  ['authentication_error', 'auth'],
  ['billing_error', 'quota'],
  ['permission_error', 'auth'],
  ['not_found_error', 'not_found'],
  ['conflict_error', 'conflict'],
  ['request_too_large', 'bad_request'],
  ['rate_limit_error', 'rate_limit'],
  ['timeout_error', 'overload'],
  ['api_error', 'overload'],
  ['overloaded_error', 'overload'],
]);

/** Kinds by `error.details.error_code`, where it says more than the type. */
const KIND_BY_CODE: ReadonlyMap<string, FailureKind> = new Map<string, FailureKind>([
  ['contract_spend_limit_reached', 'quota'],
  ['enforced_spend_limit_reached', 'quota'],
  ['linked_organization_spend_limit_reached', 'quota'],
  ['linked_organization_billing_unavailable', 'quota'],
  ['image_dimensions_too_large', 'capability'],
  ['available_tools_limit_exceeded', 'capability'],
]);

/**
 * Faults that have neither a type nor a code of their own: the API reports them as `invalid_request_error`, and only the
 * message tells them apart.
 */
const KIND_BY_MESSAGE: readonly (readonly [pattern: RegExp, kind: FailureKind, field?: string])[] = [
  [/credit balance|spend limit|usage limits/i, 'quota'],
  [/prompt is too long|too many total text bytes|exceed context limit/i, 'context_length'],
  [/content filtering policy/i, 'content'],
  // Reasoning that was bound to another beginning or another account: the next target is sent the same without it.
  [
    /(thinking|redacted_thinking).{0,80}(signature|block|cannot be modified)|invalid .?signature/i,
    'capability',
    'messages',
  ],
  [/tool_choice.{0,80}(not supported|forces)/i, 'capability', 'tool_choice'],
  [/image (exceeds|dimensions)|pdf pages|too many images/i, 'capability', 'messages'],
  [/^max_tokens: .*maximum allowed number of output tokens/i, 'capability', 'options.max_tokens'],
  [/prefill|not supported (for|on|by) this model|does not support|extra inputs are not permitted/i, 'capability'],
];

/** Classifies an error response of the Messages API; bodies of proxies that are no JSON go by their status. */
export function anthropicFailure(response: ErrorResponse): Failure {
  return describe(parseJson(response.body), classOfStatus(response.status), {
    httpStatus: response.status,
    ...errorHeaders(response),
  });
}

/** Classifies an error that came within an answer of status 200: `{"type": "error", "error": {…}}`. */
export function anthropicInBandFailure(body: unknown): Failure {
  const type = textOf(asRecord(asRecord(body)?.error)?.type);
  return describe(body, KIND_BY_TYPE.get(type) ?? 'overload', {});
}

function describe(body: unknown, usual: FailureKind, known: Partial<Failure>): Failure {
  const envelope = asRecord(body);
  const error = asRecord(envelope?.error);
  const type = wordOf(error?.type);
  const code = wordOf(asRecord(error?.details)?.error_code);
  const requestId = wordOf(envelope?.request_id);
  const { kind, field } = kindOf(usual, type, code, textOf(error?.message));
  const details = {
    ...known,
    ...(field === undefined ? {} : { field }),
    ...(code === undefined && type === undefined ? {} : { providerCode: code ?? type }),
    ...(requestId === undefined ? {} : { providerRequestId: requestId }),
  };
  if (kind === 'context_length') return contextLengthExceeded(details);
  // Only its status has told what it is (class C12).
  const isUnheard = kind === 'bad_request' && (known.httpStatus === 400 || known.httpStatus === 422);
  return providerFailure(kind, isUnheard ? { ...details, unrecognised: true } : details);
}

function kindOf(
  usual: FailureKind,
  type: string | undefined,
  code: string | undefined,
  message: string,
): { readonly kind: FailureKind; readonly field?: string | undefined } {
  const byCode = KIND_BY_CODE.get(code ?? '');
  if (byCode !== undefined) return { kind: byCode };
  if (type === 'billing_error') return { kind: 'quota' };
  if (usual !== 'bad_request') return { kind: usual };
  const [, kind, field] = KIND_BY_MESSAGE.find(([pattern]) => pattern.test(message)) ?? [undefined, usual];
  return { kind, field };
}
