/** What models may be able to do; the words of the contract's `Capability`. */
export const CAPABILITIES = [
  'tools',
  'parallel_tools',
  'image_input',
  'file_input',
  'json_object',
  'json_schema',
  'reasoning',
  'sampling',
  'cache_breakpoints',
] as const;

/** Something that a model can do. */
export type Capability = (typeof CAPABILITIES)[number];

/** What is known of a model. Absent is unknown. */
export interface ModelFacts {
  /** Most tokens of prompt and answer together. */
  readonly contextWindow?: number | undefined;
  /** Most tokens of an answer, reasoning included. */
  readonly maxOutputTokens?: number | undefined;
  /** All that the model can do: what is not in it, it cannot. */
  readonly capabilities?: ReadonlySet<Capability> | undefined;
}
