import type { LimitStoreFigures } from '../port/limit-store-figures.ts';

/** Counts what becomes of the questions to a shared store. */
export class StoreFigures implements LimitStoreFigures {
  readonly #isUp: () => boolean;
  timeouts = 0;
  refused = 0;
  counted = 0;
  /** Takes how long an answer took, in milliseconds. */
  took: (ms: number) => void = () => undefined;

  constructor(isUp: () => boolean) {
    this.#isUp = isUp;
  }

  get isUp(): boolean {
    return this.#isUp();
  }

  get withoutStore(): LimitStoreFigures['withoutStore'] {
    return { refused: this.refused, counted_in_memory: this.counted };
  }

  onAnswer(took: (ms: number) => void): void {
    this.took = took;
  }
}
