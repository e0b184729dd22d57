import type { SilencesSnapshot } from '../../port/circuit-snapshot.ts';

/** The third suspicious silence in a row says that a target answers nobody any more (engine rule X1). */
const SILENCES_IN_A_ROW = 3;
/** The limit of probes doubles with each that fails by silence, up to so many times (engine, "Timers"). */
const MOST_PATIENCE = 4;
/** The learnt limit is tried at twice the length behind a silence that an answer followed, up to so many times (engine rule X6). */
const LONGEST_TRIAL = 16;

/** What was not heard of a target and model since its last first output: silences in a row, and probes that failed by silence. */
export class Silences {
  #inARow = 0;
  #lastEndedAtMs = Number.NEGATIVE_INFINITY;
  #suspectAfterMs = Number.POSITIVE_INFINITY;
  #patience = 1;
  #trial = 1;
  #isTrialOver = false;
  /** The trial of the last call that was left too soon, or was not, as the next first output tells. */
  #left: number | undefined;

  /** How many times the learnt limit is waited for: 1, 2 or 4. */
  get patience(): number {
    return this.#patience;
  }

  /** How many times the learnt limit an ordinary call may take: 1, 2, 4, 8 or 16. */
  get trial(): number {
    return this.#trial;
  }

  /** Silence that is suspicious whatever is known of times by now, in milliseconds: infinite before the third in a row. */
  get suspectAfterMs(): number {
    return this.#inARow >= SILENCES_IN_A_ROW ? this.#suspectAfterMs : Number.POSITIVE_INFINITY;
  }

  /** Notes that first output came, of whatever attempt. */
  heard(): void {
    if (this.#left === this.#trial && this.#inARow < SILENCES_IN_A_ROW && !this.#isTrialOver) this.#tryLonger();
    this.#left = undefined;
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

  /** Notes that an ordinary call was left at the learnt limit, which was this many times as long as usual. */
  leftAt(trial: number): void {
    this.#left = trial;
  }

  /** Notes that first output came later than the usual limit: it is measured from now on, and nothing is left to try. */
  cameLate(): void {
    this.#trial = 1;
  }

  /** Notes that nothing is known of times any more. */
  forgetTrial(): void {
    this.#trial = 1;
    this.#isTrialOver = false;
    this.#left = undefined;
  }

  /** Notes that a probe has failed by silence. */
  probeFailed(): void {
    this.#patience = Math.min(MOST_PATIENCE, 2 * this.#patience);
  }

  /** Suspects nobody any more, as an operator wishes. */
  reset(): void {
    this.#inARow = 0;
    this.#suspectAfterMs = Number.POSITIVE_INFINITY;
    this.#patience = 1;
    this.#left = undefined;
  }

  /** Returns what outlives the engine; undefined where the target was heard last. */
  snapshot(nowMs: number): SilencesSnapshot | undefined {
    if (this.#inARow === 0) return undefined;
    return {
      inARow: this.#inARow,
      endedAgoMs: nowMs - this.#lastEndedAtMs,
      suspectAfterMs: this.#suspectAfterMs,
      patience: this.#patience,
    };
  }

  /** Goes on from what was not heard in another engine. */
  restore({ inARow, endedAgoMs, suspectAfterMs, patience }: SilencesSnapshot, nowMs: number): void {
    this.#inARow = inARow;
    this.#lastEndedAtMs = nowMs - endedAgoMs;
    this.#suspectAfterMs = suspectAfterMs;
    this.#patience = patience;
  }

  /** Where the longest was in vain, what is silent stays so, and the usual limit is right. */
  #tryLonger(): void {
    this.#isTrialOver = this.#trial === LONGEST_TRIAL;
    this.#trial = this.#isTrialOver ? 1 : 2 * this.#trial;
  }
}
