import type { Failure } from '../../core/failure.ts';
import type { ErrorResponse } from '../port/adapter.ts';
import { withoutCallers } from '../shared/errors/meaning-of-words.ts';
import { failureOfText, refusedCall, refusedInBand } from '../shared/errors/refusal-failure.ts';
import type { ErrorMeaning, RefusalKind } from '../shared/errors/refusal-kind.ts';
import type { ProviderError } from '../shared/errors/provider-error.ts';
import { asRecord, wordOf } from '../shared/json/value.ts';

/** Kinds by `error.details.error_code`, where it says more than the type. */
const KIND_BY_CODE: ReadonlyMap<string, RefusalKind> = new Map<string, RefusalKind>([
  ['contract_spend_limit_reached', 'quota'],
  ['enforced_spend_limit_reached', 'quota'],
  ['linked_organization_spend_limit_reached', 'quota'],
  ['linked_organization_billing_unavailable', 'quota'],
  ['image_dimensions_too_large', 'capability'],
  ['available_tools_limit_exceeded', 'capability'],
]);

/** Words of an account without money, which suspends the target for all. */
const NO_MONEY = /credit balance|spend limit|usage limits/i;

/**
 * Faults that have neither a type nor a code of their own: the API reports them as `invalid_request_error`, and only the
 * message tells them apart.
 */
const KIND_BY_MESSAGE: readonly (readonly [pattern: RegExp, kind: RefusalKind, field?: string])[] = [
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

/**
 * Classifies an error response of the Messages API, Anthropic's or another server's; bodies of proxies that are no JSON go by
 * their status. Source: https://platform.claude.com/docs/en/api/errors
 */
export function anthropicFailure(response: ErrorResponse): Failure {
  return refusedCall(response, ownWords);
}

/** Classifies an error that came within an answer of status 200: `{"type": "error", "error": {…}}`. */
export function anthropicInBandFailure(body: unknown): Failure {
  return refusedInBand(body, ownWords);
}

/** Classifies an event that is no object; where it is named an error, by what its text says. */
export function anthropicTextFailure(name: string, data: string): Failure {
  return failureOfText(name, data, ownWords);
}

/** Where Anthropic reports what is wrong with a request; inside an answer there is no status. */
const OF_REQUESTS: ReadonlySet<number | undefined> = new Set([undefined, 400, 413, 422]);

function ownWords({ body, codes, words }: ProviderError, status: number | undefined): ErrorMeaning | undefined {
  const byCode = KIND_BY_CODE.get(wordOf(asRecord(asRecord(asRecord(body)?.error)?.details)?.error_code) ?? '');
  if (byCode !== undefined) return { kind: byCode, isKnown: true };
  if (!OF_REQUESTS.has(status)) return undefined;
  if (NO_MONEY.test(withoutCallers(words))) return { kind: 'quota', isKnown: true };
  const [, kind, field] = KIND_BY_MESSAGE.find(([pattern]) => pattern.test(words)) ?? [];
  if (kind !== undefined) return { kind, field, isKnown: true };
  return codes.includes('requesttoolarge') ? { kind: 'bad_request', isKnown: true } : undefined;
}
