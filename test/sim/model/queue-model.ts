import type { Facts, Run } from '../facts.ts';

/** Which requests are under way, wait, or are to be refused at once, by the rules alone (A2, A3, A5, D2). */
export class QueueModel {
  readonly active = new Set<Run>();
  readonly refused = new Set<Run>();
  /** In the order of arrival, whatever their key. */
  readonly queue: Run[] = [];
  /** Who was given a slot that was given back, since {@link forgetGiven}. */
  readonly given = new Set<Run>();
  /** Keys that wait; the first has waited for its turn for longest. */
  #turns: string[] = [];
  readonly #facts: Facts;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  asked(run: Run): void {
    const { maxQueued } = this.#facts.config.admission;
    const key = keyOf(run);
    if (this.#facts.drainedAtMs !== undefined || this.#facts.isOverloaded()) this.refused.add(run);
    else if (this.#mayRun(key)) this.active.add(run);
    else if (this.#isWithinShare(count(this.queue, key), maxQueued - this.queue.length)) {
      this.queue.push(run);
      if (!this.#turns.includes(key)) this.#turns.push(key);
    } else this.refused.add(run);
  }

  /** Takes a run out, and gives what it held to those who wait. */
  ended(run: Run): void {
    this.active.delete(run);
    this.#leave(run);
    if (this.#facts.drainedAtMs !== undefined) return;
    for (;;) {
      const key = this.#turns.find((waiting) => this.#mayRun(waiting));
      const first = this.queue.find((waiting) => keyOf(waiting) === key);
      if (key === undefined || first === undefined) return;
      this.#turns = [...this.#turns.filter((other) => other !== key), key];
      this.#leave(first);
      this.active.add(first);
      this.given.add(first);
    }
  }

  forgetGiven(): void {
    this.given.clear();
  }

  #leave(run: Run): void {
    const index = this.queue.indexOf(run);
    if (index >= 0) this.queue.splice(index, 1);
    this.#turns = this.#turns.filter((key) => count(this.queue, key) > 0);
  }

  #mayRun(key: string): boolean {
    const { maxActive } = this.#facts.config.admission;
    return this.#isWithinShare(count(this.active, key), maxActive - this.active.size);
  }

  /** Alone, a key may hold `maxShare` percent: so it gets one more while it holds less than that part is of what is kept back. */
  #isWithinShare(held: number, free: number): boolean {
    const { maxShare } = this.#facts.config.admission;
    if (free <= 0) return false;
    return maxShare === 100 || held / free < maxShare / (100 - maxShare);
  }
}

function keyOf({ asked }: Run): string {
  return asked.key ?? '';
}

function count(runs: Iterable<Run>, key: string): number {
  return [...runs].filter((run) => keyOf(run) === key).length;
}
