/** Most models remembered of one provider. */
const MOST_MODELS = 1_000;

/**
 * Remembers what is made of the models of providers: every call asks for the same few, and a text that is put together anew is hashed
 * anew.
 */
export class ModelMemory<Value> {
  readonly #make: (provider: string, model: string) => Value;
  readonly #known = new Map<string, Map<string, Value>>();

  /** @param make what returns undefined is asked again each time */
  constructor(make: (provider: string, model: string) => Value) {
    this.#make = make;
  }

  /** Returns what is made of a model of a provider. */
  of(provider: string, model: string): Value {
    const known = this.#known.get(provider) ?? new Map<string, Value>();
    const found = known.get(model);
    if (found !== undefined) return found;
    const made = this.#make(provider, model);
    if (made === undefined) return made;
    // Callers may name any model.
    if (known.size === MOST_MODELS) known.clear();
    this.#known.set(provider, known.set(model, made));
    return made;
  }
}

/** Returns the key of a model of a provider; names of providers have no slash, so that it is unambiguous. */
export function modelKey(provider: string, model: string): string {
  return `${provider}/${model}`;
}
