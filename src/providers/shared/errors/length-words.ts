import type { WordRule } from './word-rule.ts';
import { anyOf, REFUSALS, statuses } from './word-rule.ts';

/** Where overflows have been seen. */
const LONG = statuses(400, 413, 422, 500);

/** Limits of rates speak of tokens, too. */
const OF_RATES =
  /\bper (?:minute|min|hour|day|second)\b|\b[RT]P[MD]\b|\brate.?limit|\btoo many requests\b|\bplease wait\b/i;

/** More than the account may ever send at once, which no waiting cures: OpenAI says 429, Groq 413. */
export const ALWAYS_TOO_LARGE: WordRule = {
  kind: 'context_length',
  at: statuses(413, 429),
  words: /^request too large\b/im,
};

/** Words of an answer that the window has no room for. */
export const NO_ROOM_WORDS: WordRule = {
  kind: 'context_length',
  field: 'options.max_tokens',
  at: LONG,
  words: anyOf(
    String.raw`\bmax_(?:completion_|output_|new_)?tokens\b[^\n]{0,40}\btoo large\b[^\n]{0,200}\bcontext\b`,
    String.raw`\bmax_(?:completion_|output_|new_)?tokens\b[^\n]{0,60}\b(?:greater|larger|more|higher|longer) than\b[^\n]{0,40}\b(?:max_model_len|max_total_tokens|max_seq_len|context|n_ctx)`,
    String.raw`\bmax_(?:completion_|output_|new_)?tokens\b[^\n]{0,60}\bexceeds?\b[^\n]{0,60}\b(?:max_model_len|max_seq_len|context (?:length|window|size)|n_ctx)`,
  ),
};

/** Words of a prompt that does not fit. */
export const OVERFLOW_WORDS: WordRule = {
  kind: 'context_length',
  at: LONG,
  unless: OF_RATES,
  words: anyOf(
    String.raw`\bmax(?:imum)? (?:model |allowed )?context (?:length|limit|size|window)\b|\bexceeds? the max(?:imum)? context\b|\bmax(?:imum)? seq(?:uence)?[ _]len`,
    String.raw`\bexceed(?:s|ed|ing)?\b~60~\b(?:context (?:length|window|size|limit)|input length|prompt length|sequence length|model length|model token limit|model limit|number of tokens|n_ctx|max_model_len|max_seq_len|max_total_tokens|max_prompt_tokens|max message tokens)\b`,
    String.raw`\bcontext[ _]?(?:length|window|size|limit)\b~40~\b(?:exceed(?:s|ed)?|overflow\w*|too (?:long|small)|is only|of only)\b`,
    String.raw`\b(?:longer|greater|larger|more) than the (?:model['’]s |maximum |max |allowed |available )*(?:context|model length|input length|prompt length|sequence length|number of tokens|max_seq_len|max_model_len|n_ctx)\b`,
    String.raw`\b(?:prompt|conversation|inputs?|request|messages) (?:is |are |was |were )?too long\b|\btokens too long\b|\bmessage you submitted was too long\b`,
    String.raw`\bprompt (?:length )?(?:\(\d+\) )?exceeds (?:the )?(?:max(?:imum)?|length)\b|\bprompt (?:has|contains) [\d,]+ tokens\b`,
    String.raw`\binput tokens?\b~60~\bexceeds? the (?:maximum|configured|model|limit)`,
    String.raw`\btokens?\b~60~\bexceeds? the (?:limit|maximum)\b`,
    String.raw`\bmax(?:imum)? (?:prompt|input|model|sequence) (?:length|tokens?)(?: length)? (?:is|of|was|:) ?[\d,]+`,
    String.raw`\breduce (?:the length of )?(?:the|your) (?:messages|prompt|input|conversation)\b`,
    String.raw`\binput (?:\(\d+ tokens\) )?is too large to process\b`,
    String.raw`\btoo large for (?:the )?model\b|\brange of input length should be\b`,
    String.raw`\btokens to keep from the initial prompt\b|\bcontext the overflows\b|\bcontext overflow`,
    String.raw`\btoo many (?:input |prompt |total |text )*tokens\b|\btoken limit exceeded\b|\bexceeded (?:the )?token limit\b`,
    String.raw`\binputs\b.? tokens \+ .?max_new_tokens\b|\binputs\b.? must have less than \d+ tokens\b`,
    String.raw`\btotal (?:number of )?tokens\b~60~\bcannot exceed\b|\btotal token count\b~60~\bexceed`,
    String.raw`\bContextWindowExceeded`,
  ),
};

/** Words of an answer that is longer than the model writes: OpenAI's, Groq's, DeepSeek's, Anthropic's. */
export const LONG_ANSWER_WORDS: WordRule = {
  kind: 'capability',
  field: 'options.max_tokens',
  at: REFUSALS,
  words: anyOf(
    String.raw`\bmodel supports at most \d+ completion tokens`,
    String.raw`\bmaximum value for .?max_(?:completion_|output_|new_)?tokens`,
    String.raw`\b(?:valid )?range of .?max_(?:completion_|output_|new_)?tokens.? (?:is|should be)\b`,
    String.raw`\bmax_(?:completion_|output_|new_)?tokens\b[^\n]{0,80}\b(?:too large|exceeds?|(?:is|are) (?:greater|larger|higher) than|must be (?:at most|no more than|less than|smaller than|<)|(?:must|should|can|cannot) ?(?:not )?(?:exceed|be (?:greater|larger) than (?!0\b)))`,
    String.raw`\bmaximum allowed number of output tokens\b`,
  ),
};
