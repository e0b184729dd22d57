import { hashText } from './dice.ts';

/** All that happened, as a hash, and as lines where they are wanted. Wall-clock times are no part of it. */
export class EventLog {
  readonly #now: () => number;
  readonly #lines: string[] | undefined;
  #hash = 0x811c_9dc5;

  constructor(now: () => number, keepsLines: boolean) {
    this.#now = now;
    this.#lines = keepsLines ? [] : undefined;
  }

  note(what: string): void {
    const line = `${this.#now().toFixed(3)} ${what}`;
    this.#hash = hashText(this.#hash, line);
    this.#lines?.push(line);
  }

  get hash(): string {
    return this.#hash.toString(16).padStart(8, '0');
  }

  get lines(): readonly string[] {
    return this.#lines ?? [];
  }
}
