/** Counts the calls that a door has to finish before it may close. */
export class LiveCalls {
  #count = 0;
  readonly #waiters = new Set<() => void>();

  /** Says that a call has begun; the returned function says, once, that it has ended. */
  begin(): () => void {
    this.#count += 1;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.#count -= 1;
      if (this.#count > 0) return;
      for (const waiter of this.#waiters) waiter();
      this.#waiters.clear();
    };
  }

  /** Resolves as soon as no call is under way. */
  async whenIdle(): Promise<void> {
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      this.#waiters.add(resolve);
    });
  }
}
