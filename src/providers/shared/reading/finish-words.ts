import type { FinishReason } from '../../../core/answer.ts';
import { asRecord, wordOf } from '../json/value.ts';

/**
 * What a provider says of the end of an answer. `none`: nothing yet. `known`: it has ended. `unknown`: a word that may mean an
 * end; only the end marker of the API tells. `broken`: what was written is not whole.
 */
export type ToldEnding =
  | { readonly type: 'none' }
  | { readonly type: 'known'; readonly reason: FinishReason; readonly raw: string }
  | { readonly type: 'unknown' | 'broken'; readonly raw: string };

/**
 * The words of all vendors, in small letters alone. Sources: the references of OpenAI, Anthropic, Gemini
 * (https://ai.google.dev/api/generate-content#FinishReason), Bedrock, Cohere, watsonx, Z.ai, Text Generation Inference,
 * LM Studio.
 */
const REASONS: ReadonlyMap<string, FinishReason> = new Map<string, FinishReason>([
  ...reasons('STOP', 'stop stopsequence stopstringfound endturn end eos eostoken eosfound endofturn stoptoken'),
  ...reasons('STOP', 'complete completed done finished normal'),
  ...reasons('LENGTH', 'length maxtokens maxlength maxoutputtokens maxcompletiontokens maxnewtokens tokenlimit'),
  ...reasons('LENGTH', 'modellength modelcontextwindowexceeded contextlength contextlengthexceeded'),
  ...reasons('LENGTH', 'contextlengthreached contextwindowexceeded maxpredictedtokensreached maxtokensreached'),
  ...reasons('TOOL_CALLS', 'toolcalls toolcall tooluse functioncall functioncalls'),
  ...reasons('CONTENT_FILTER', 'contentfilter contentfiltered filtered sensitive safety recitation blocklist'),
  ...reasons('CONTENT_FILTER', 'prohibitedcontent spii imagesafety guardrailintervened errortoxic moderation blocked'),
  ...reasons('CONTENT_FILTER', 'flagged contentpolicy contentpolicyviolation language contentblocked'),
  ...reasons('REFUSAL', 'refusal refused'),
  // Anthropic's pause of the tools that run there, and Ollama's words for an answer to an empty prompt.
  ...reasons('OTHER', 'pauseturn load unload compaction'),
]);

/** Words that say that there is no end yet. */
const NONE: ReadonlySet<string> = new Set(
  'null none nil undefined unspecified notfinished inprogress continue generating running'.split(' '),
);

/** Words that say that the answer broke off: the network's, the engine's, or a call that the model wrote wrongly. */
const BROKEN =
  /error|abort|cancel|fail|time(d)?out|timelimit|interrupt|disconnect|malformed|overload|unavailable|ratelimit/;
const BROKEN_WORDS: ReadonlySet<string> = new Set([
  // DeepSeek's word for a lack of capacity.
  'insufficientsystemresource',
  'unexpectedtoolcall',
  'modelunloaded',
]);

const NO_END: ToldEnding = { type: 'none' };

/** Reads a finish reason, a word in any spelling or an object that has it as `type`; `raw` is the word as it was written. */
export function endingOf(value: unknown): ToldEnding {
  if (value === undefined || value === null || value === '') return NO_END;
  const raw = wordOf(value) ?? wordOf(asRecord(value)?.type);
  if (raw === undefined) return NO_END;
  const known = REASONS.get(raw);
  if (known !== undefined) return { type: 'known', reason: known, raw };
  const word = raw
    .toLowerCase()
    .replaceAll(/[^a-z]/g, '')
    .replace(/^finishreason/, '');
  const reason = REASONS.get(word);
  if (reason !== undefined) return { type: 'known', reason, raw };
  if (word === '' || NONE.has(word)) return NO_END;
  return { type: BROKEN.test(word) || BROKEN_WORDS.has(word) ? 'broken' : 'unknown', raw };
}

function reasons(reason: FinishReason, words: string): readonly (readonly [string, FinishReason])[] {
  return words.split(' ').map((word) => [word, reason]);
}
