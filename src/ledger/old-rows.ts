import type { System } from '../core/ports.ts';
import type { UsageStore } from './store/usage-store.ts';

/** How often old rows are looked for, and how long the store has for others between two steps, in milliseconds. */
const EVERY_MS = 3_600_000;
const BETWEEN_MS = 200;
const FIRST_MS = 60_000;

/** Deletes rows that are older than they are kept, in small steps between the writing. */
export class OldRows {
  readonly #store: UsageStore;
  readonly #system: System;
  readonly #keepMs: number;
  #timer: object | number | undefined;
  #isStopped = false;

  /** @param keepMs how long rows are kept, in milliseconds */
  constructor(store: UsageStore, system: System, keepMs: number) {
    this.#store = store;
    this.#system = system;
    this.#keepMs = keepMs;
  }

  /** Looks for old rows a minute from now, and then every hour. */
  start(): void {
    this.#after(FIRST_MS);
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== undefined) this.#system.clearTimer(this.#timer);
  }

  #after(ms: number): void {
    if (this.#isStopped) return;
    this.#timer = this.#system.setIdleTimer(ms, () => void this.#step());
  }

  async #step(): Promise<void> {
    let hasMore = false;
    try {
      hasMore = await this.#store.prune(this.#system.wall() - this.#keepMs);
    } catch {
      // Whoever writes tells of a store that is gone.
    }
    this.#after(hasMore ? BETWEEN_MS : EVERY_MS);
  }
}
