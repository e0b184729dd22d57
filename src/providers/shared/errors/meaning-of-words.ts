import { FILTER_WORDS, KEY_WORDS, MONEY_WORDS, RATE_WORDS, USED_UP_WORDS } from './account-words.ts';
import { CAPABILITY_WORDS, MODEL_WORDS, UNSUPPORTED_WORDS } from './capability-words.ts';
import { ALWAYS_TOO_LARGE, LONG_ANSWER_WORDS, NO_ROOM_WORDS, OVERFLOW_WORDS } from './length-words.ts';
import type { ErrorMeaning } from './refusal-kind.ts';
import type { WordRule } from './word-rule.ts';
import { anyOf } from './word-rule.ts';

/**
 * The order in which words are looked for: what filters say, then money, keys, lengths, what a model cannot do, and that there is
 * none. Sources: documents of the providers; code of vLLM, llama.cpp, SGLang, TGI, Ollama and LiteLLM; reports of what they sent.
 */
const RULES: readonly WordRule[] = [
  FILTER_WORDS,
  MONEY_WORDS,
  KEY_WORDS,
  ALWAYS_TOO_LARGE,
  NO_ROOM_WORDS,
  OVERFLOW_WORDS,
  LONG_ANSWER_WORDS,
  ...CAPABILITY_WORDS,
  ...MODEL_WORDS,
  RATE_WORDS,
  ...UNSUPPORTED_WORDS,
];

/** Rules that keep a target from all: what a caller wrote, such as the name of a tool, may not. */
const SUSPENDING: ReadonlySet<WordRule> = new Set([MONEY_WORDS, KEY_WORDS, RATE_WORDS]);

const QUOTED_NAME = /(["'`])[\w./:@-]{1,160}\1/g;

/** "Invalid value for user: …": what follows is the value, unless it is a key or a model. */
const ECHOED_VALUE =
  /\b(invalid (?:value|input|parameter|argument)s? (?:for|of|in) (?:the )?(?:field |parameter |argument )?|invalid (?=["'`])|(?:invalid|unsupported) value(?=: (?![^\n]{0,80}\bmodel\b)))(?!["'`\w.[\]-]{0,60}(?:key|token|auth|credential)|["'`]?(?:request|call|body|model)\b)["'`\w.[\]-]{0,60}: [^\n]*/gi;

/** The name of a tool that stands in a sentence without quotation marks. */
const TOOL_NAME = /\b((?:tool|function)s?:? )(?=[a-z\d.]{1,80}[_-])[\w.-]{1,160}/gi;

/** Words of what is wrong with a request wherever it goes. */
const FAULTS = anyOf(
  String.raw`\btool_calls\b[^\n]{0,40}\bmust be followed by tool messages\b|\btool_call_ids?\b[^\n]{0,60}\bdid not have response messages\b`,
  String.raw`\bmust be a response to a prece+ding message with .?tool_calls\b`,
  String.raw`\btool_use\b[^\n]{0,60}\bwithout\b[^\n]{0,20}\btool_result\b|\bunexpected .?tool_use_id\b`,
  String.raw`\bmessages\b.{0,5}(?:must not be empty|is empty|must be non-empty)|\bat least one message is required\b`,
  String.raw`\btool_call_id\b[^\n]{0,60}\bnot found\b`,
  String.raw`\bmust contain the word .?json\b`,
  String.raw`\binvalid base64\b`,
);

/** Returns what the words of an error mean at its status; undefined where they say nothing that is known. */
export function refusalByWords(words: string, status: number | undefined): ErrorMeaning | undefined {
  if (words === '') return undefined;
  const ownWords = withoutCallers(words);
  const unechoed = withoutValues(words);
  const rule = RULES.find((each) => {
    if (SUSPENDING.has(each)) return applies(each, ownWords, status);
    return applies(each, each.kind === 'not_found' ? unechoed : words, status);
  });
  return rule && { kind: rule.kind, field: rule.field, isKnown: true };
}

/** Whether words say that an account has nothing left, where no time to wait stands beside them. */
export function saysUsedUp(words: string, status: number | undefined): boolean {
  return applies(USED_UP_WORDS, withoutCallers(words), status);
}

/** Whether words say what is wrong with the request itself. */
export function saysFault(words: string): boolean {
  return FAULTS.test(words);
}

/** Takes out what a caller may have written: names in quotation marks or of tools, and values that are repeated. */
export function withoutCallers(words: string): string {
  return withoutValues(words).replaceAll(QUOTED_NAME, '…').replaceAll(TOOL_NAME, '$1…');
}

/** Takes out values alone: a model is known by its name, and suspended for all where it is not there. */
function withoutValues(words: string): string {
  return words.replaceAll(ECHOED_VALUE, '$1…');
}

/** Whether a rule applies to words at a status; undefined is an error inside an answer. */
function applies({ at, words, unless }: WordRule, said: string, status: number | undefined): boolean {
  if (at !== undefined && !at.has(status)) return false;
  return words.test(said) && unless?.test(said) !== true;
}
