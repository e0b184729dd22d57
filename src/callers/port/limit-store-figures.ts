/** What a store of limits that others share tells of itself. */
export interface LimitStoreFigures {
  /** Whether it answers. */
  readonly isUp: boolean;
  /** Questions that it did not answer in time. */
  readonly timeouts: number;
  /** Questions that were answered without it, by what became of them. */
  readonly withoutStore: Readonly<Record<'refused' | 'counted_in_memory', number>>;
  /** Takes over from now on how long it took to answer, in milliseconds, once for each of its answers. */
  onAnswer(took: (ms: number) => void): void;
}
