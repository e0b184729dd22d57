import { FamilyQueue, type StoreQuestion, type QueueParts } from './family-queue.ts';

/** Accounts above which those of which nothing is under way are forgotten: callers that tokens name may be many. */
const MOST_ACCOUNTS = 20_000;

/** All families of accounts that were asked about, each with its queue. */
export class Families {
  readonly #keyPrefix: string;
  readonly #parts: Omit<QueueParts, 'keyPrefix'>;
  readonly #queues = new Map<string, FamilyQueue>();

  /** @param keyPrefix with which all keys begin; the family comes next, as a hash tag: its keys are on one node of a cluster */
  constructor(keyPrefix: string, parts: Omit<QueueParts, 'keyPrefix'>) {
    this.#keyPrefix = keyPrefix;
    this.#parts = parts;
  }

  /** Returns the queue of a family. */
  of(family: string): FamilyQueue {
    let queue = this.#queues.get(family);
    if (queue === undefined) {
      queue = new FamilyQueue({ ...this.#parts, keyPrefix: `${this.#keyPrefix}:{${family}}` });
      this.#queues.set(family, queue);
    }
    return queue;
  }

  /** Sends in this turn what there is. */
  sendSoon(): void {
    for (const queue of this.#queues.values()) queue.sendSoon();
  }

  /** Has the store told of all that is under way, and forgets the rest where it is much. */
  tellAllUnderWay(): void {
    let accounts = 0;
    for (const queue of this.#queues.values()) {
      queue.touchAllUnderWay();
      queue.sendSoon();
      accounts += queue.size;
    }
    if (accounts <= MOST_ACCOUNTS) return;
    for (const [family, queue] of this.#queues) {
      queue.forgetIdle();
      if (queue.isIdle) this.#queues.delete(family);
    }
  }

  /** Returns the questions that were asked at a time or before it, and waits for their answers no longer. */
  giveUp(askedAtMs: number): readonly StoreQuestion[] {
    return [...this.#queues.values()].flatMap((queue) => queue.giveUp(askedAtMs));
  }

  /** When the oldest question that waits was asked; Infinity where none does. */
  get oldestAskedAtMs(): number {
    let oldest = Infinity;
    for (const queue of this.#queues.values()) oldest = Math.min(oldest, queue.oldestAskedAtMs);
    return oldest;
  }

  /** Whether the store is being told something, or is still to be. */
  get isTelling(): boolean {
    for (const queue of this.#queues.values()) if (!queue.isSilent || queue.sentAtMs !== undefined) return true;
    return false;
  }
}
