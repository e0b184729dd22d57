/** What every provider's name of a model looks like: 1 to 256 characters without spaces. */
export const MODEL_NAME = /^[^\s\p{C}]{1,256}$/u;

const OPENAI_DATE = /-20\d{2}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;
const ANTHROPIC_DATE = /-20\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])$/;

/** How the ids of dated snapshots end, by provider. */
const SNAPSHOT_SUFFIX: ReadonlyMap<string, RegExp> = new Map([
  ['openai', OPENAI_DATE],
  ['azure-openai', OPENAI_DATE],
  ['anthropic', ANTHROPIC_DATE],
]);

/**
 * Returns the id that a dated snapshot is a snapshot of (`gpt-4.1-2025-04-14` of `gpt-4.1`, `claude-haiku-4-5-20251001` of
 * `claude-haiku-4-5`), or undefined where the id does not end in a whole date the way the provider writes it.
 */
export function snapshotBase(provider: string, model: string): string | undefined {
  const suffix = SNAPSHOT_SUFFIX.get(provider);
  const base = suffix && model.replace(suffix, '');
  return base === undefined || base === model || base === '' ? undefined : base;
}

/** The circuit of all models that have none of their own, so that callers cannot make circuits (engine, "State machines"). */
export const OTHER_MODELS = 'other';
