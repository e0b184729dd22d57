/** Names of fields in the APIs of all providers to fields of the contract. Any other name is kept to ourselves. */
const FIELD_BY_PARAM: ReadonlyMap<string, string> = new Map([
  ['max_tokens', 'options.max_tokens'],
  ['max_completion_tokens', 'options.max_tokens'],
  ['max_output_tokens', 'options.max_tokens'],
  ['max_new_tokens', 'options.max_tokens'],
  ['num_predict', 'options.max_tokens'],
  ['temperature', 'options.temperature'],
  ['top_p', 'options.top_p'],
  ['stop', 'options.stop'],
  ['stop_sequences', 'options.stop'],
  ['seed', 'options.seed'],
  ['random_seed', 'options.seed'],
  ['presence_penalty', 'options.presence_penalty'],
  ['frequency_penalty', 'options.frequency_penalty'],
  ['reasoning_effort', 'options.reasoning_effort'],
  ['reasoning', 'options.reasoning_effort'],
  ['thinking', 'options.reasoning_effort'],
  ['think', 'options.reasoning_effort'],
  ['response_format', 'options.response_format'],
  ['response_schema', 'options.response_format'],
  ['output_config', 'options.response_format'],
  ['text', 'options.response_format'],
  ['parallel_tool_calls', 'options.parallel_tool_calls'],
  ['user', 'options.end_user'],
  ['user_id', 'options.end_user'],
  ['safety_identifier', 'options.end_user'],
  ['tools', 'tools'],
  ['functions', 'tools'],
  ['function_declarations', 'tools'],
  ['tool_choice', 'tool_choice'],
  ['function_call', 'tool_choice'],
  ['model', 'model'],
  ['messages', 'messages'],
  ['input', 'messages'],
  ['instructions', 'messages'],
  ['system', 'messages'],
]);

/** What the gateway itself writes into requests: a caller is never to blame for it. */
const OWN_PARAMS: ReadonlySet<string> = new Set([
  'stream',
  'stream_options',
  'include_usage',
  'include_obfuscation',
  'store',
  'include',
  'strict',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_breakpoint',
  'cache_control',
  'reasoning_content',
  'reasoning_details',
  'thought_signature',
  'extra_content',
]);

/** How servers say that they do not know a field, or take no such field. */
const UNKNOWN_FIELD =
  /\bextra inputs are not permitted\b|\bextra fields? not (?:permitted|allowed)\b|\badditional propert(?:y|ies) (?:is|are|not) |\b(?:unrecognized|unrecognised|unknown|unexpected|unsupported|unpermitted|invalid) (?:request |keyword |extra |input )?(?:arguments?|parameters?|params?|fields?|names?|keys?|propert(?:y|ies))\b|\bpropert(?:y|ies) \S{1,80} (?:is|are) (?:unsupported|not supported|not allowed)\b|\bgot an unexpected keyword argument\b/i;

const UNKNOWN_FIELD_CODES: ReadonlySet<string> = new Set([
  'extraforbidden',
  'unknownparameter',
  'unrecognizedparameter',
]);

/** Names that stand in a sentence: quoted, or of several words, which no sentence has. */
const NAMES = /["'`]([a-z][\w.[\]-]{0,80})["'`]|(?<![\w.])([a-z]+(?:_[a-z]+)+)\b/gi;

/** Returns the contract's name of a field that a provider names by a path, such as `tools[0].function`; undefined: any other. */
export function blamedField(param: string): string | undefined {
  return FIELD_BY_PARAM.get(rootOf(param));
}

/**
 * Reads a refusal of a field as such. Undefined where it is none, or where the field is neither one of the contract nor of those
 * that the gateway writes: then it is the caller's own, of `provider_options`.
 */
export function refusedField(
  codes: readonly string[],
  words: string,
  params: readonly string[],
): { readonly field: string | undefined } | undefined {
  const said = UNKNOWN_FIELD.exec(words);
  if (said === null && !codes.some((code) => UNKNOWN_FIELD_CODES.has(code))) return undefined;
  const names = params.filter((param) => rootOf(param) !== '');
  for (const name of names.length > 0 ? names : namesIn(words)) {
    const field = blamedField(name);
    if (field !== undefined || OWN_PARAMS.has(rootOf(name))) return { field };
  }
  return undefined;
}

function namesIn(words: string): readonly string[] {
  return [...words.slice(0, 500).matchAll(NAMES)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

/** FastAPI's paths begin with the part of the request that was read. */
function rootOf(param: string): string {
  const [root = ''] = param.replace(/^(?:body|request|generation_?config)(?:\.|$)/i, '').split(/[.[]/, 1);
  return root.trim();
}
