/** Most keys remembered of one provider. */
const MOST_KEYS = 1_000;

/**
 * Makes the keys `provider/model` that others learn by. Each is made once: every call asks for one several times, and a text that is put
 * together anew is hashed anew.
 */
export class ModelKeys {
  readonly #known = new Map<string, Map<string, string>>();

  /** Returns the key of a model of a provider; names of providers have no slash, so that it is unambiguous. */
  of(provider: string, model: string): string {
    const known = this.#known.get(provider) ?? new Map<string, string>();
    const key = known.get(model);
    if (key !== undefined) return key;
    const made = `${provider}/${model}`;
    // Callers may name any model.
    if (known.size === MOST_KEYS) known.clear();
    this.#known.set(provider, known.set(model, made));
    return made;
  }
}
