import type { Facts, Run } from '../facts.ts';

/** Which requests are under way, wait, or are to be refused at once, by the rules alone (A2, A3, D2). */
export class QueueModel {
  readonly active = new Set<Run>();
  readonly refused = new Set<Run>();
  readonly queue: Run[] = [];
  readonly #facts: Facts;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  asked(run: Run): void {
    const { maxActive, maxQueued } = this.#facts.config.admission;
    if (this.#facts.drainedAtMs !== undefined || this.#facts.isOverloaded()) this.refused.add(run);
    else if (this.active.size < maxActive) this.active.add(run);
    else if (this.queue.length < maxQueued) this.queue.push(run);
    else this.refused.add(run);
  }

  /** Takes a run out of the queue; false where it was not in it. */
  leave(run: Run): boolean {
    const index = this.queue.indexOf(run);
    if (index >= 0) this.queue.splice(index, 1);
    return index >= 0;
  }

  /** Lets a run in, and all that wait before it. Returns those. */
  admit(run: Run): readonly Run[] {
    const index = this.queue.indexOf(run);
    if (index < 0) return [];
    const before = this.queue.splice(0, index + 1).slice(0, -1);
    for (const each of [...before, run]) this.active.add(each);
    return before;
  }

  ended(run: Run): void {
    this.leave(run);
    this.active.delete(run);
  }

  /** Gives the slots that are free to those who wait, behind an event. */
  fill(): void {
    if (this.#facts.drainedAtMs !== undefined) return;
    while (this.active.size < this.#facts.config.admission.maxActive) {
      const first = this.queue.shift();
      if (first === undefined) return;
      this.active.add(first);
    }
  }
}
