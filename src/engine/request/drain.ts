import { LiveList } from '../../core/live-list.ts';

/** Whether the engine goes down; there is no way back (engine rule D2). */
export class Drain {
  readonly #listeners = new LiveList<() => void>();
  #hasBegun = false;

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Begins, and tells all who want to know, in this turn. */
  begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    for (const listener of this.#listeners.all()) listener();
  }

  /** Calls back once when it begins, unless {@link forget} is called before. */
  onBegin(listener: () => void): number {
    return this.#listeners.add(listener);
  }

  /** Calls nobody back any more for what `onBegin` has returned; to be called once. */
  forget(place: number): void {
    this.#listeners.remove(place);
  }
}
