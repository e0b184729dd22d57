import type { Permit } from '../port/permit.ts';

/** What an operator wants of a circuit: that it decides by itself, or what it is whatever the calls say. */
export type OperatorState = 'AUTOMATIC' | 'OPEN' | 'CLOSED' | 'DISABLED';

/** A permit of a circuit that is held closed: how the attempt ends decides nothing. */
export const FREE_PERMIT: Permit = {
  probe: false,
  decides: false,
  circuit: undefined,
  settle: () => {},
  answers: () => {},
  provisionalSuccess: () => {},
};

/** What an operator wants of the circuits of one target: of all, or of single models. DISABLED is of the whole target alone. */
export class OperatorSwitch {
  readonly #models = new Map<string, OperatorState>();
  #all: OperatorState = 'AUTOMATIC';

  /** Takes a wish; one for all circuits takes the place of those for single ones. @param circuit key of a circuit; absent: all */
  set(state: OperatorState, circuit?: string): void {
    if (circuit !== undefined) {
      this.#models.set(circuit, state);
      return;
    }
    this.#all = state;
    this.#models.clear();
  }

  /** Forgets all wishes. */
  clear(): void {
    this.set('AUTOMATIC');
  }

  /**
   * Returns what is wanted of a circuit, or, without a key, of those that nobody has named.
   * @param model of the circuits of one key (`other`), that of this model, where a wish is for it alone
   */
  of(circuit?: string, model?: string): OperatorState {
    if (this.#all === 'DISABLED' || circuit === undefined || this.#models.size === 0) return this.#all;
    const own = model === undefined ? undefined : this.#models.get(model);
    return own ?? this.#models.get(circuit) ?? this.#all;
  }

  /** Whether a circuit has a wish of its own. */
  names(circuit: string): boolean {
    return this.#models.has(circuit);
  }

  /** Returns the keys of the circuits that have a wish of their own. */
  get named(): Iterable<string> {
    return this.#models.keys();
  }

  /** Returns the word that people are told: whether the target is out of use, or any of its circuits is forced. */
  get word(): 'disabled' | 'forced' | undefined {
    if (this.#all === 'DISABLED') return 'disabled';
    const isForced = [this.#all, ...this.#models.values()].some((state) => state !== 'AUTOMATIC');
    return isForced ? 'forced' : undefined;
  }
}
