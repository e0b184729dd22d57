import type { Quirk } from '../providers/port/quirk.ts';
import { NO_QUIRKS } from '../providers/port/quirk.ts';

/** Most models of a target of which quirks are remembered; beyond it all are forgotten, and learnt again at the price of a refusal. */
const MAX_MODELS = 256;

/**
 * What a target has refused of what the gateway writes on its own, by model, since one target may serve models of several makers.
 * For the life of the process, so that each refusal costs one call.
 */
export class LearntQuirks {
  readonly #byModel = new Map<string, ReadonlySet<Quirk>>();

  /** Returns what is known of a model; the set never changes. */
  of(model: string): ReadonlySet<Quirk> {
    return this.#byModel.get(model) ?? NO_QUIRKS;
  }

  /** Remembers a quirk of a model. */
  learn(model: string, quirk: Quirk): void {
    const known = this.of(model);
    if (known.has(quirk)) return;
    if (this.#byModel.size >= MAX_MODELS && !this.#byModel.has(model)) this.#byModel.clear();
    this.#byModel.set(model, new Set(known).add(quirk));
  }
}
