import { BucketModel } from './bucket-model.ts';

const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 20_000;
const HOUR_MS = 3_600_000;

/** How a circuit was opened. */
interface Opening {
  readonly atMs: number;
  readonly retryAfterMs: number;
  readonly wasSilent: boolean;
  /** What free calls have found since, in their order. */
  readonly found: { readonly atMs: number; readonly answers: boolean }[];
}

/** The outage of one circuit by the rules (K3, K8, K9): all openings since it was closed last, from which everything is reckoned anew. */
export class OutageModel {
  readonly #cooldownMs: number;
  readonly #ahead = new BucketModel(5, 2, 0.1);
  #openings: Opening[] = [];
  /** When calls that were let through have begun to answer. */
  readonly #answeredAtMs: number[] = [];
  /** When outages began. */
  readonly #beganAtMs: number[] = [];

  constructor(cooldownMs: number) {
    this.#cooldownMs = cooldownMs;
  }

  opened(atMs: number, retryAfterMs: number, wasSilent: boolean): void {
    if (this.#openings.length === 0) this.#beganAtMs.push(atMs);
    this.#openings.push({ atMs, retryAfterMs, wasSilent, found: [] });
  }

  closed(): void {
    this.#openings = [];
  }

  found(atMs: number, answers: boolean): void {
    this.#openings.at(-1)?.found.push({ atMs, answers });
  }

  answered(atMs: number): void {
    this.#answeredAtMs.push(atMs);
  }

  succeeded(atMs: number): void {
    this.#ahead.visited(atMs);
  }

  /** Takes a call ahead of its time in; false where it may not go. */
  mayGoAhead(atMs: number): boolean {
    return this.#ahead.take(atMs) && atMs >= this.#heldUntilMs() - 0.001;
  }

  /** Until when one probe at a time goes through. */
  get singleUntilMs(): number {
    return (this.#openings.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY) + this.#cooldownMs;
  }

  /** When the next probe may go. */
  get reopensAtMs(): number {
    const last = this.#openings.at(-1);
    if (last === undefined) return Number.NEGATIVE_INFINITY;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (this.#openings.length - 1), LONGEST_PAUSE_MS);
    let reopensAtMs = last.atMs + (last.wasSilent ? this.#cooldownMs : Math.min(pauseMs, this.#cooldownMs));
    reopensAtMs = Math.max(reopensAtMs, this.#heldUntilMs());
    let before =
      this.#openings
        .slice(0, -1)
        .flatMap(({ found }) => found)
        .at(-1)?.answers ?? true;
    for (const { atMs, answers } of last.found) {
      if (!answers) reopensAtMs = Math.max(reopensAtMs, this.singleUntilMs);
      else if (!before) reopensAtMs = Math.min(reopensAtMs, Math.max(atMs, this.#heldUntilMs()));
      before = answers;
    }
    return reopensAtMs;
  }

  /** Whether requests were to wait at a moment: an outage that has begun within a minute, or a call that begins to answer. */
  wasWorthWaitingAt(atMs: number): boolean {
    return (
      this.#beganAtMs.some((beganAtMs) => beganAtMs <= atMs + 0.001 && atMs - beganAtMs < 60_000 + 0.001) ||
      this.#answeredAtMs.some((answeredAtMs) => answeredAtMs <= atMs + 0.001 && atMs - answeredAtMs < 5_000 + 0.001)
    );
  }

  #heldUntilMs(): number {
    const last = this.#openings.at(-1);
    return last === undefined ? Number.NEGATIVE_INFINITY : last.atMs + Math.min(last.retryAfterMs, HOUR_MS);
  }
}
