/** Most keys remembered; the one that was learned of longest ago goes first. */
const MOST_KEYS = 1_000;
/** How much longer than the longest recent answer the next one may be. */
const MARGIN = 2;
/** What of a long answer is forgotten with each shorter one. */
const FORGOTTEN = 0.05;

/**
 * Guesses how long answers get whose requests do not bound them: twice the longest of late, and no less than where none was seen, since a
 * few short ones, of any caller, would let in as many long ones at a time as there are calls.
 */
export class AnswerLengths {
  readonly #longest = new Map<string, number>();

  /** Returns the tokens that an answer is taken to have at most, `unknown` at least. `key` is `provider/model`. */
  most(key: string, unknown: number): number {
    const longest = this.#longest.get(key);
    return Math.max(unknown, Math.ceil(MARGIN * (longest ?? 0)));
  }

  /** Learns of an answer. */
  learn(key: string, outputTokens: number): void {
    const known = this.#longest.get(key) ?? outputTokens;
    const longest = Math.max(outputTokens, known - FORGOTTEN * (known - outputTokens));
    // Set anew, the key is the youngest of the map; while there is room for all, age decides nothing.
    if (this.#longest.size > MOST_KEYS / 2) this.#longest.delete(key);
    this.#longest.set(key, longest);
    if (this.#longest.size <= MOST_KEYS) return;
    const [oldest] = this.#longest.keys();
    if (oldest !== undefined) this.#longest.delete(oldest);
  }
}
