import type { JsonRecord } from '../json/value.ts';
import { asRecord, parseJson, wordOf } from '../json/value.ts';
import { endingOf } from '../reading/finish-words.ts';
import { saidWords } from './said-words.ts';

/** What an error says, as far as it decides something. Only ever looked at; never kept (engine rule X5). */
export interface ProviderError {
  /** Codes and types, from the outside in, without separators, in lower case, without a last `error`. */
  readonly codes: readonly string[];
  /** Its sentences, a line each, without what they quote. */
  readonly words: string;
  /** The fields of the request that it names as such, as paths: `tools[0].function`, `stream_options.include_usage`. */
  readonly params: readonly string[];
  /** A status that stands in the error, 400 to 599. */
  readonly status: number | undefined;
  /** The outermost code, otherwise the outermost type. */
  readonly providerCode: string | undefined;
  /** The id of the call, where the error has it. */
  readonly requestId: string | undefined;
  /** Whether it is a page for people, as proxies send: no word of the provider's. */
  readonly isPage: boolean;
  /** Whether it is an answer that a filter has ended. */
  readonly isFiltered: boolean;
  /** The error as it was parsed. */
  readonly body: unknown;
}

/** Where codes stand: of OpenAI and its imitators, of Google, and of those who number their errors. */
const CODE_FIELDS = [
  'code',
  'type',
  'status',
  'reason',
  'error_code',
  'errorCode',
  'err_code',
  'error_type',
  'status_code',
  '__type',
] as const;

/** Where sentences and further errors stand. What is not named here may repeat the request, such as `input` and `flagged_input`. */
const SAID_FIELDS = [
  'innererror',
  'error',
  'errors',
  'message',
  'msg',
  'error_msg',
  'error_message',
  'errorMessage',
  'error_description',
  'status_msg',
  'Message',
  'fault',
  'faultstring',
  'detail',
  'details',
  'title',
  'metadata',
  'raw',
  'base_resp',
] as const;

const STATUS_FIELDS = ['status_code', 'statusCode', 'http_code', 'status', 'code'] as const;

const PAGE = /^\uFEFF?\s*<(?:!doctype|!--|\?xml|html|head|body|title|center|h[1-6]|p|div|pre)\b/i;

/** Errors are small; of anything else the beginning is enough. */
const DEEPEST = 8;
const MOST_NODES = 200;
/** Characters of what is said; each word is looked at several times. */
const MOST_WORDS = 4_096;

/** Reads the body of an answer with an error status: JSON, a page, or a plain sentence. */
export function readErrorBody(body: string, contentType: string | undefined): ProviderError {
  const json = parseJson(body);
  if (json !== undefined) return readProviderError(json);
  const isPage = PAGE.test(body) || (/^\s*text\/html\b/i.test(contentType ?? '') && body.trim() !== '');
  const isBroken = /^\s*[[{]/.test(body) && !/^\s*[[{(]+\s*'/.test(body);
  return isPage || isBroken ? { ...readProviderError(undefined), isPage } : readProviderError(body);
}

/** Reads an error that is parsed already: an object in whatever envelope, a list of them, or a sentence. */
export function readProviderError(body: unknown): ProviderError {
  const reader = new ErrorReader();
  reader.read(body, DEEPEST);
  const { codes, sentences, params, status, providerCode, type, requestId, isFiltered } = reader;
  return {
    codes,
    words: sentences.join('\n').slice(0, MOST_WORDS),
    params,
    status,
    providerCode: providerCode ?? type,
    requestId,
    isPage: false,
    isFiltered,
    body,
  };
}

/** Returns a code as the tables of codes have it: `RateLimitError`, `rate_limit` and `rate-limit-error` are one. */
function codeKey(code: string): string {
  return code
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '')
    .replace(/(?:error|exception)$/, '');
}

class ErrorReader {
  readonly codes: string[] = [];
  readonly sentences: string[] = [];
  readonly params: string[] = [];
  status: number | undefined;
  providerCode: string | undefined;
  type: string | undefined;
  requestId: string | undefined;
  isFiltered = false;
  #nodes = 0;

  read(value: unknown, depth: number): void {
    this.#nodes += 1;
    if (depth === 0 || this.#nodes > MOST_NODES) return;
    if (typeof value === 'string') this.#readText(value, depth);
    else if (Array.isArray(value)) for (const item of value.slice(0, 16)) this.read(item, depth - 1);
    else this.#readRecord(asRecord(value), depth);
  }

  #readText(text: string, depth: number): void {
    if (text.trim() === '') return;
    const { sentence, wrapped, params, codes } = saidWords(text);
    if (sentence !== '') this.sentences.push(sentence);
    // LiteLLM names the class of its error before the words of the server behind it.
    const [, named] = /\blitellm\.(\w{1,64})/.exec(sentence) ?? [];
    // Some say nothing but the code.
    if (/^\w+$/.test(sentence)) this.#addCode(sentence);
    for (const code of named === undefined ? codes : [named, ...codes]) this.#addCode(code);
    this.params.push(...params);
    if (wrapped !== undefined) this.read(wrapped, depth - 1);
  }

  #readRecord(record: JsonRecord | undefined, depth: number): void {
    if (record === undefined) return;
    this.status ??= statusOf(record);
    this.providerCode ??= wordOf(record.code) ?? wordOf(record.error_code);
    this.requestId ??= wordOf(record.request_id);
    if (record.type !== 'error') this.type ??= wordOf(record.type);
    this.isFiltered ||= isFiltered(record.choices);
    const inner = asRecord(record.innererror)?.code;
    if (inner !== undefined) this.#addCode(inner);
    for (const field of CODE_FIELDS) this.#addCode(record[field]);
    if (typeof record.param === 'string') this.params.push(record.param);
    if (Array.isArray(record.loc)) this.params.push(record.loc.map(String).join('.'));
    for (const field of SAID_FIELDS) if (record[field] !== undefined) this.read(record[field], depth - 1);
  }

  #addCode(code: unknown): void {
    const key = codeKey(wordOf(code) ?? '');
    if (key !== '') this.codes.push(key);
  }
}

function statusOf(record: JsonRecord): number | undefined {
  return STATUS_FIELDS.map((field) => record[field])
    .filter((value) => typeof value === 'number' || typeof value === 'string')
    .map(Number)
    .find((status) => Number.isInteger(status) && status >= 400 && status <= 599);
}

/** Some servers give the status 400 to an answer whose end is that of a filter. */
function isFiltered(choices: unknown): boolean {
  return Array.isArray(choices) && choices.some((choice) => endsByFilter(asRecord(choice)?.finish_reason));
}

function endsByFilter(reason: unknown): boolean {
  const ending = endingOf(reason);
  return ending.type === 'known' && ending.reason === 'CONTENT_FILTER';
}
