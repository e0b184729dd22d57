import type { Failure } from '../../../core/failure.ts';
import type { AdapterEvent, ErrorResponse, EventReader, Translator, WireEvent } from '../../port/adapter.ts';
import type { Quirk } from '../../port/quirk.ts';
import { providerFailure } from '../provider-failure.ts';
import type { RefusalWords } from './refusal-words.ts';
import { refusalWords } from './refusal-words.ts';

/** Statuses that refuse a request; proxies say 500 for what the server behind them refused. */
const REFUSALS: ReadonlySet<number> = new Set([400, 422, 500]);

/** Fields of the body itself: a place of this name within another is none of ours. */
const TOP_FIELDS: ReadonlyMap<string, Quirk> = new Map<string, Quirk>([
  ['stream_options', 'no stream_options'],
  ['include_usage', 'no stream_options'],
  ['include_obfuscation', 'no include_obfuscation'],
  ['store', 'no store'],
  ['include', 'no include'],
  ['max_tokens', 'no max_tokens'],
  ['max_completion_tokens', 'no max_completion_tokens'],
  ['safety_identifier', 'no safety_identifier'],
]);

/** Fields within messages and tools. */
const INNER_FIELDS: ReadonlyMap<string, Quirk> = new Map<string, Quirk>([
  ['strict', 'no strict'],
  ['cache_control', 'no cache_control'],
  ['prompt_cache_breakpoint', 'no prompt_cache_breakpoint'],
  ['display', 'no display'],
  ['reasoning_content', 'no reasoning_content'],
  ['reasoning', 'no reasoning'],
  ['reasoning_details', 'no reasoning_details'],
  ['thinking_blocks', 'no thinking_blocks'],
  ['extra_content', 'no extra_content'],
  ['provider_specific_fields', 'no provider_specific_fields'],
]);

const FIELDS: ReadonlyMap<string, Quirk> = new Map([...TOP_FIELDS, ...INNER_FIELDS]);

/** Words that people use too: they must stand in quotes, behind a colon, or at the end of a path. */
const COMMON_WORDS: ReadonlySet<string> = new Set(['store', 'include', 'strict', 'display', 'reasoning']);

const NAMES = new RegExp(`(?<![\\w-])(?:${[...FIELDS.keys()].join('|')})(?![\\w-])`, 'g');

/** What stands before the name of a field that a server does not take, and behind it. */
const BEFORE =
  /(unknown|unrecogni[sz]ed|unsupported|unexpected|unpermitted|additional propert\w+|extra|extraneous|not (supported|allowed|permitted|recogni[sz]ed)|forbidden|instead of|(does not|doesn't) support)\b[^;\n]{0,80}$/i;
const BEHIND =
  /^['"`\])\s:,-]*((this|the|field|fields|parameter|argument|property|option|key|is|are|was|were|value|currently) ?){0,4}(extra (inputs|fields)|not (yet )?(supported|allowed|permitted|recogni[sz]ed|accepted|implemented)|unsupported|unknown|unexpected|unrecogni[sz]ed|forbidden|disallowed|不支持|only (allowed|supported|available|be ))/i;

const NOT_TAKEN =
  /extra (inputs|fields)|not (yet )?(supported|allowed|permitted|recogni[sz]ed|accepted|implemented)|unsupported|unknown|unexpected|unrecogni[sz]ed|forbidden|disallowed/i;

/** Where a form is wrong, not a field: the words of one kind each, for those who have no code for it. */
const FORMS: readonly (readonly [pattern: RegExp, quirk: Quirk])[] = [
  [/\blength of (9|nine)\b|exactly (9|nine) (alphanumeric|characters|letters)/i, 'ids of nine'],
  [/(tool_?calls?\W.{0,40}\bid|call_id)\b.{0,80}(maximum length|at most|no more than) 40\b/is, 'ids up to 40'],
  [/(tool_?calls?\W.{0,40}\bid|call_id)\b.{0,80}(maximum length|at most|no more than) 64\b/is, 'ids up to 64'],
  [/tool_?use_?(\.|_)?id.{0,160}(pattern|less than or equal to 64)/is, 'ids of words'],
  [/tool_?call_?(\.|_)?id.{0,160}\bpattern\b/is, 'ids of words'],
  [/tool_?calls?\W.{0,20}\bid\b.{0,80}\bpattern\b/is, 'ids of words'],
  [/['"`\s:]developer\b['"`]?.{0,80}(role|not one of|expected|with this model)/is, 'no developer'],
  [/(role|variant|unsupported value|invalid value).{0,60}['"`\s:]developer\b/is, 'no developer'],
  [
    /system (message|prompt|role)s?\b.{0,60}\b(at the (beginning|start)|be (the )?first|first message|multiple|more than one|only one)|(only|at most) (one|a single) system (message|prompt)|multiple system (messages|prompts)/is,
    'system first',
  ],
  [
    /(unexpected|invalid|unsupported|unknown) role\b.{0,20}['"`]system\b|role\b.{0,20}should be ['"`]user['"`] or ['"`]assistant/is,
    'system first',
  ],
  [
    /\bcontent\b.{0,100}(valid string|be a string|expected (a )?string|cannot be (null|none)|not be (null|none)|<nil>|nonetype)|sequence, expected a string/is,
    'content as text',
  ],
  [
    /reasoning_content\b.{0,60}(missing|required|must be (passed|provided|present|sent))|(missing|must (pass|provide|include|contain)|requires?)\b.{0,40}\breasoning_content/is,
    'wants reasoning_content',
  ],
  [/missing a?\W{0,3}thought_?signature|thought_?signature\b.{0,60}(missing|required)/is, 'wants thought_signature'],
];

/** State of the answers that cannot be read any more: the next target is sent the conversation without it. */
const STALE_STATE = /thought.?signature|reasoning_details|thinking_blocks/i;

/**
 * Puts a look at what the gateway wrote on its own around the classification of errors: where a server refuses that, no caller is to
 * blame. It is a failure of class `capability` with the quirk that would cure it, so that the next target is asked at the worst.
 */
export function readingQuirks(classify: Translator['failure']): Translator['failure'] {
  return (response) => {
    const failure = classify(response);
    return mayBeOurs(failure, response) ? ours(failure, response.body) : failure;
  };
}

/** Does the same for errors within a streamed answer of status 200, of which most never have one. */
export function readingQuirksInBand(reader: EventReader): EventReader {
  const read = (event: WireEvent): readonly AdapterEvent[] => {
    const events = reader(event);
    return events.at(-1)?.type === 'failure' ? withQuirk(events, event.data) : events;
  };
  return Object.assign(read, { repeated: reader.repeated });
}

/** The same within a whole answer. */
export function readingQuirksInWhole(read: Translator['response']): Translator['response'] {
  return (json, text) => {
    const events = read(json, text);
    return events.at(-1)?.type === 'failure' ? withQuirk(events, text ?? JSON.stringify(json)) : events;
  };
}

/** The same for the events of a piece of an answer; `body` is what they were read from. */
function withQuirk(events: readonly AdapterEvent[], body: string): readonly AdapterEvent[] {
  const last = events.at(-1);
  if (last?.type !== 'failure') return events;
  const { failure } = last;
  const isRefusal = failure.class === 'bad_request' || failure.class === 'capability';
  if (!isRefusal || failure.reason === 'CONTEXT_LENGTH_EXCEEDED') return events;
  return [...events.slice(0, -1), { type: 'failure', failure: ours(failure, body) }];
}

function mayBeOurs({ class: failureClass, reason }: Failure, { status }: ErrorResponse): boolean {
  const isRefusal = failureClass === 'bad_request' || failureClass === 'capability' || failureClass === 'overload';
  return isRefusal && REFUSALS.has(status) && reason !== 'CONTEXT_LENGTH_EXCEEDED';
}

function ours(failure: Failure, body: string): Failure {
  const said = refusalWords(body);
  const quirk = quirkOf(said);
  if (quirk === undefined && !said.some(({ message }) => STALE_STATE.test(message))) return failure;
  const { httpStatus, providerCode, providerRequestId, retryAfterMs, repeatIsUseless, field } = failure;
  return providerFailure('capability', {
    httpStatus,
    providerCode,
    providerRequestId,
    retryAfterMs,
    repeatIsUseless,
    ...(field === undefined ? {} : { field }),
    ...(quirk === undefined ? {} : { quirk }),
  });
}

/** Returns the first quirk that a refusal tells of. */
function quirkOf(said: readonly RefusalWords[]): Quirk | undefined {
  for (const words of said) {
    const quirk = byPath(words) ?? byForm([...words.path, words.message].join(' ')) ?? byMessage(words.message);
    if (quirk !== undefined) return quirk;
  }
  return undefined;
}

function byPath({ path, isUnknown, message }: RefusalWords): Quirk | undefined {
  if (!isUnknown && !NOT_TAKEN.test(message)) return undefined;
  const [first = ''] = path;
  const last = path.at(-1) ?? '';
  if (first === 'stream_options') return TOP_FIELDS.get(last) ?? 'no stream_options';
  return path.length === 1 ? TOP_FIELDS.get(first) : INNER_FIELDS.get(last);
}

function byForm(message: string): Quirk | undefined {
  return FORMS.find(([pattern]) => pattern.test(message))?.[1];
}

function byMessage(message: string): Quirk | undefined {
  for (const match of message.matchAll(NAMES)) {
    const before = message.slice(Math.max(0, match.index - 100), match.index);
    const behind = message.slice(match.index + match[0].length).slice(0, 80);
    if (COMMON_WORDS.has(match[0]) && !/['"`:.(]\s?$/.test(before)) continue;
    // A place within another: `tools[0].stream_options` is none of ours, `stream_options.include_usage` is.
    const outer = /([\w\]]+)\.$/.exec(before)?.[1] ?? '';
    if (TOP_FIELDS.has(match[0]) && outer !== '' && outer !== 'stream_options' && outer !== 'body') continue;
    if (BEFORE.test(before) || BEHIND.test(behind)) return FIELDS.get(match[0]);
  }
  return undefined;
}
