import type { Failure } from '../../../core/failure.ts';
import type { ErrorResponse } from '../../port/adapter.ts';
import { errorHeaders } from '../../shared/headers/retry-after.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import { asRecord, parseJson, textOf, wordOf } from '../../shared/json/value.ts';
import type { FailureDetails, ProviderFailureClass } from '../../shared/provider-failure.ts';
import { classOfStatus, contextLengthExceeded, providerFailure } from '../../shared/provider-failure.ts';

/** Too long is a kind of its own: a larger model may take the request. */
type FailureKind = ProviderFailureClass | 'context_length';

/** What an error object says, as far as it decides something; codes and types in lower case. */
interface ErrorWords {
  readonly codes: readonly string[];
  /** Only ever looked at here; never kept (engine rule X5). */
  readonly message: string;
  readonly param: string;
  readonly providerCode: string | undefined;
}

/** Codes and types by which an error is known whatever its status. */
const KIND_BY_CODE: ReadonlyMap<string, FailureKind> = new Map<string, FailureKind>([
  ['insufficient_quota', 'quota'],
  ['billing_hard_limit_reached', 'quota'],
  ['billing_not_active', 'quota'],
  ['credit_balance_exhausted', 'quota'],
  ['context_length_exceeded', 'context_length'],
  ['content_filter', 'content'],
  ['content_policy_violation', 'content'],
  ['image_content_policy_violation', 'content'],
  ['misalignment_policy_violation', 'content'],
  ['responsibleaipolicyviolation', 'content'],
  ['invalid_prompt', 'content'],
  ['bio_policy', 'content'],
  ['unsupported_parameter', 'capability'],
  ['unsupported_value', 'capability'],
  // Reasoning that another account, region or model encrypted: the next target is sent the conversation without it.
  ['invalid_encrypted_content', 'capability'],
  // Groq's words for a model that called a tool wrongly, or wrote other JSON than it was asked for.
  ['tool_use_failed', 'capability'],
  ['json_validate_failed', 'capability'],
  ['model_not_found', 'not_found'],
  ['deploymentnotfound', 'not_found'],
  ['unknown_model', 'not_found'],
  ['invalid_model', 'not_found'],
]);

/** Further codes and types, for errors inside a stream, which have no status. */
const KIND_IN_BAND: ReadonlyMap<string, FailureKind> = new Map<string, FailureKind>([
  ['rate_limit_exceeded', 'rate_limit'],
  ['rate_limit_error', 'rate_limit'],
  ['too_many_requests', 'rate_limit'],
  ['ratelimitreached', 'rate_limit'],
  ['invalid_api_key', 'auth'],
  ['authentication_error', 'auth'],
  ['permission_error', 'auth'],
  ['server_error', 'overload'],
  ['invalid_request_error', 'bad_request'],
  ['invalid_image', 'bad_request'],
  ['invalid_image_format', 'bad_request'],
  ['invalid_base64_image', 'bad_request'],
  ['invalid_image_url', 'bad_request'],
  ['image_too_large', 'bad_request'],
  ['image_too_small', 'bad_request'],
  ['image_parse_error', 'bad_request'],
  ['invalid_image_mode', 'bad_request'],
  ['image_file_too_large', 'bad_request'],
  ['unsupported_image_media_type', 'bad_request'],
  ['empty_image_file', 'bad_request'],
  ['failed_to_download_image', 'bad_request'],
  ['image_file_not_found', 'bad_request'],
]);

/** A limit of the rate in the codes and types of other servers, and OpenAI's types for what is limited. */
const RATE_CODES = /rate.?limit|too.?many.?requests|throttl|resource.?exhausted|^(tokens|requests)$/;

/** Statuses at which a message may tell a request that is too long, or that the model cannot take, from a wrong one. */
const REQUEST_STATUSES: ReadonlySet<number | undefined> = new Set([undefined, 400, 413, 422]);

/** DeepSeek and vLLM give such errors the code of any bad request; the words are the same everywhere. */
const CONTEXT_LENGTH_WORDS = /maximum context length|exceeds the context window/i;

/**
 * OpenAI leaves the code out of some of these errors, on both APIs; DeepSeek and servers of open models have none. The last is
 * what older endpoints of Azure say of fields that the gateway writes; of any other field the caller is to blame.
 */
const UNSUPPORTED_WORDS =
  /^unsupported (parameter|value)\b|\bnot supported (with|by|for) |\bdoes not support |\bonly supported by |^unrecognized request arguments? supplied: .*\b(max_completion_tokens|stream_options|reasoning_effort|safety_identifier)\b/i;

/** An answer that is longer than the model writes: OpenAI's words, Groq's and DeepSeek's. */
const LONG_ANSWER_WORDS =
  /\bmodel supports at most \d+ completion tokens|\bmaximum value for .?max_(completion_)?tokens|\bvalid range of max_tokens\b/i;

/** DeepSeek's filter, which has no code of its own. */
const BLOCKED_WORDS = /^content exists risk/i;

/** Parameters of the family's APIs to fields of the contract. Any other name is kept to ourselves. */
const FIELD_BY_PARAM: ReadonlyMap<string, string> = new Map([
  ['max_tokens', 'options.max_tokens'],
  ['max_completion_tokens', 'options.max_tokens'],
  ['max_output_tokens', 'options.max_tokens'],
  ['temperature', 'options.temperature'],
  ['top_p', 'options.top_p'],
  ['stop', 'options.stop'],
  ['seed', 'options.seed'],
  ['presence_penalty', 'options.presence_penalty'],
  ['frequency_penalty', 'options.frequency_penalty'],
  ['reasoning_effort', 'options.reasoning_effort'],
  ['reasoning', 'options.reasoning_effort'],
  ['thinking', 'options.reasoning_effort'],
  ['response_format', 'options.response_format'],
  ['text', 'options.response_format'],
  ['parallel_tool_calls', 'options.parallel_tool_calls'],
  ['user', 'options.end_user'],
  ['user_id', 'options.end_user'],
  ['safety_identifier', 'options.end_user'],
  ['tools', 'tools'],
  ['tool_choice', 'tool_choice'],
  ['model', 'model'],
  ['messages', 'messages'],
  ['input', 'messages'],
  ['instructions', 'messages'],
]);

/**
 * Classifies an answer with an error status by its code and type, else by a few wordings that have no code, else by its
 * status; a body that is no JSON counts for nothing. Source: the class table of the engine's rules.
 */
export function openAiFailure(response: ErrorResponse): Failure {
  const { status } = response;
  const words = readError(parseJson(response.body));
  const known = { httpStatus: status, ...errorHeaders(response) };
  if (status < 400 || status > 599) return providerFailure('protocol', known);
  const kind = kindOf(status, words);
  // Only its status has told what it is (class C12).
  const isUnheard = kind === 'bad_request' && (status === 400 || status === 422);
  return describe(kind, words, isUnheard ? { ...known, unrecognised: true } : known);
}

/**
 * Classifies an error inside an answer of status 200; `error` is the error object or its text. A status that the provider
 * names in it counts, as at OpenAI-compatible servers; what nothing is known about is the provider's own fault.
 */
export function openAiInBandFailure(error: unknown): Failure {
  const words = readError({ error });
  const kind = kindOf(statusIn(asRecord(error)), words);
  // What is more than the account may ever send at once is refused again, however long one waits.
  return describe(kind, words, kind === 'rate_limit' && isTooLarge(words) ? { repeatIsUseless: true } : {});
}

function describe(kind: FailureKind, words: ErrorWords, known: FailureDetails): Failure {
  const isOurRequest = kind === 'capability' || kind === 'context_length' || kind === 'bad_request';
  const field = isOurRequest ? fieldOf(words.param) : undefined;
  const details: FailureDetails = {
    ...known,
    ...(words.providerCode === undefined ? {} : { providerCode: words.providerCode }),
    ...(field === undefined ? {} : { field }),
  };
  return kind === 'context_length' ? contextLengthExceeded(details) : providerFailure(kind, details);
}

function kindOf(status: number | undefined, words: ErrorWords): FailureKind {
  const byCode = firstKind(KIND_BY_CODE, words.codes);
  if (byCode !== undefined) return byCode;
  if (status === undefined && words.codes.some((code) => RATE_CODES.test(code))) return 'rate_limit';
  // More than the account may ever send at once, which no waiting cures; Groq answers 413.
  if ((status === undefined || status === 413 || status === 429) && isTooLarge(words)) return 'context_length';
  if (REQUEST_STATUSES.has(status)) {
    if (CONTEXT_LENGTH_WORDS.test(words.message)) return 'context_length';
    if (UNSUPPORTED_WORDS.test(words.message) || LONG_ANSWER_WORDS.test(words.message)) return 'capability';
    if (BLOCKED_WORDS.test(words.message)) return 'content';
    // Tools on Chat Completions at a reasoning model: the error names the effort, and has no code.
    if (words.param === 'reasoning_effort' || words.param === 'reasoning.effort') return 'capability';
  }
  if (status !== undefined) return classOfStatus(status);
  return firstKind(KIND_IN_BAND, words.codes) ?? 'overload';
}

function isTooLarge({ message }: ErrorWords): boolean {
  return message.startsWith('Request too large');
}

function firstKind(table: ReadonlyMap<string, FailureKind>, codes: readonly string[]): FailureKind | undefined {
  return codes.map((code) => table.get(code)).find((kind) => kind !== undefined);
}

/** Errors come as `{error: {…}}`, `{error: "text"}`, or without the envelope (Azure's gateway, older vLLM). */
function readError(body: unknown): ErrorWords {
  const envelope = asRecord(body);
  const error: JsonRecord = asRecord(envelope?.error) ?? envelope ?? {};
  const inner = asRecord(error.innererror);
  const words = [inner?.code, error.code, error.type].map(wordOf);
  return {
    codes: words.filter((word) => word !== undefined).map((word) => word.toLowerCase()),
    message: textOf(error.message) || textOf(envelope?.error),
    param: textOf(error.param),
    providerCode: wordOf(error.code) ?? wordOf(error.type),
  };
}

function statusIn(error: JsonRecord | undefined): number | undefined {
  return [error?.status_code, error?.status, error?.code]
    .map(Number)
    .find((status) => Number.isInteger(status) && status >= 400 && status <= 599);
}

function fieldOf(param: string): string | undefined {
  const [root = ''] = param.split(/[.[]/, 1);
  return FIELD_BY_PARAM.get(root);
}
