/**
 * What a server takes otherwise than the API says that it speaks, as far as that concerns what the gateway writes on its own: a
 * caller cannot mend it. Learnt from a refusal, and remembered for the target.
 */
const QUIRKS = [
  /** Fields of the body that it does not take, with their names. */
  'no stream_options',
  'no include_obfuscation',
  'no store',
  'no include',
  'no strict',
  'no cache_control',
  'no prompt_cache_breakpoint',
  'no display',
  /** It takes the limit of the answer by the other of the two names. */
  'no max_tokens',
  'no max_completion_tokens',
  /** It takes the end user's id as `user`. */
  'no safety_identifier',
  /** It knows no role `developer`. */
  'no developer',
  /** It takes instructions at the beginning alone, in one message. */
  'system first',
  /** It takes the texts of a message as one text, and no content that is null. */
  'content as text',
  /** Fields of the assistant's messages, with state that it has given out itself. */
  'no reasoning_content',
  'no reasoning',
  'no reasoning_details',
  'no thinking_blocks',
  'no extra_content',
  'no provider_specific_fields',
  /** Every call of the assistant must have them, also where another model made it. */
  'wants reasoning_content',
  'wants thought_signature',
  /** Forms of the ids of tool calls. */
  'ids of nine',
  'ids of words',
  'ids up to 64',
  'ids up to 40',
] as const;

/** Something that a server takes otherwise than others that speak its API. */
export type Quirk = (typeof QUIRKS)[number];

/** Of a server of which nothing odd is known. */
export const NO_QUIRKS: ReadonlySet<Quirk> = new Set();

/** Tells whether a text names a quirk. */
export function isQuirk(text: string | undefined): text is Quirk {
  return QUIRKS.some((quirk) => quirk === text);
}
