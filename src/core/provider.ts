/** What is known of a provider that speaks OpenAI's Chat Completions. */
interface CompatibleProvider {
  /** Its variables begin with it in capitals: `GROQ_API_KEY`, `GROQ_BASE_URL`, `GROQ_MODEL`. */
  readonly name: string;
  readonly baseUrl: string;
  /** The default model. */
  readonly model: string;
}

/** Providers that differ from OpenAI only in what they take: one line for each. */
export const COMPATIBLE_PROVIDERS = [
  { name: 'groq', baseUrl: 'https://api.groq.com/openai/v1', model: 'openai/gpt-oss-120b' },
  { name: 'mistral', baseUrl: 'https://api.mistral.ai/v1', model: 'mistral-large-latest' },
] as const satisfies readonly CompatibleProvider[];

const COMPATIBLE_NAMES = COMPATIBLE_PROVIDERS.map(({ name }) => name);

/** Kinds of upstream, in the order in which detected ones form the chain. `mock` speaks OpenAI's Chat Completions. */
export const PROVIDERS = [
  'azure-openai',
  'openai',
  'anthropic',
  'deepseek',
  'ollama',
  ...COMPATIBLE_NAMES,
  'mock',
] as const;

/** A kind of upstream. */
export type ProviderName = (typeof PROVIDERS)[number];

/** A provider of {@link COMPATIBLE_PROVIDERS}. */
export type CompatibleName = (typeof COMPATIBLE_NAMES)[number];

/** A provider of which the tables of each folder say how it differs. */
export type DistinctName = Exclude<ProviderName, CompatibleName>;

/** Tells whether a provider is one of {@link COMPATIBLE_PROVIDERS}. */
export function isCompatible(name: string): name is CompatibleName {
  return COMPATIBLE_NAMES.some((compatible) => compatible === name);
}

/** The two APIs of OpenAI and Azure OpenAI. */
export type OpenAiApi = 'responses' | 'chat_completions';

/**
 * How long a streamed call may say nothing of its answer while all is well, and what comes of it meanwhile (engine, "Timers").
 * `short`: nothing keeps the first output back for long.
 * `unknown`: the same as far as one knows, but nothing is known of the model.
 * `behind_signs`: the model thinks or the call is queued, and the head comes at once with signs of life behind it: startup
 * events, pings, comments.
 * `without_head`: the model thinks, and the head comes no sooner than the first output.
 * `loaded`: the same, and the model may have to be loaded first.
 */
export type Silence = 'short' | 'unknown' | 'behind_signs' | 'without_head' | 'loaded';
