/** The third suspicious silence in a row says that a target answers nobody any more (engine rule X1). */
const SILENCES_IN_A_ROW = 3;
/** The limit of probes doubles with each that fails by silence, up to so many times (engine, "Timers"). */
const MOST_PATIENCE = 4;

/** What was not heard of a target and model since its last first output: silences in a row, and probes that failed by silence. */
export class Silences {
  #inARow = 0;
  #lastEndedAtMs = Number.NEGATIVE_INFINITY;
  #suspectAfterMs = Number.POSITIVE_INFINITY;
  #patience = 1;

  /** How many times the learnt limit is waited for: 1, 2 or 4. */
  get patience(): number {
    return this.#patience;
  }

  /** Silence that is suspicious whatever is known of times by now, in milliseconds: infinite before the third in a row. */
  get suspectAfterMs(): number {
    return this.#inARow >= SILENCES_IN_A_ROW ? this.#suspectAfterMs : Number.POSITIVE_INFINITY;
  }

  /** Notes that first output came, of whatever attempt. */
  heard(): void {
    this.#inARow = 0;
    this.#suspectAfterMs = Number.POSITIVE_INFINITY;
    this.#patience = 1;
  }

  /**
   * Notes that an attempt ended without output after a suspicious silence, and returns whether the target answers nobody any more.
   * In a row are those that each began behind the end of the one before: what many callers see of one pause counts once.
   * @param suspectAfterMs from when on it was suspicious, in milliseconds
   */
  silent(startedAtMs: number, endedAtMs: number, suspectAfterMs: number): boolean {
    this.#suspectAfterMs = suspectAfterMs;
    if (startedAtMs >= this.#lastEndedAtMs || this.#inARow === 0) {
      this.#inARow++;
      this.#lastEndedAtMs = endedAtMs;
    }
    return this.#inARow >= SILENCES_IN_A_ROW;
  }

  /** Notes that a probe has failed by silence. */
  probeFailed(): void {
    this.#patience = Math.min(MOST_PATIENCE, 2 * this.#patience);
  }
}
