import { LiveList } from '../../core/live-list.ts';

/** Who is told that the engine goes down. */
interface Draining {
  drain(): void;
}

/** Whether the engine goes down; there is no way back (engine rule D2). */
export class Drain {
  readonly #requests = new LiveList<Draining>();
  #hasBegun = false;

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Begins, and tells all who want to know, in this turn. */
  begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    for (const request of this.#requests.all()) request.drain();
  }

  /** Tells a request once that it begins, unless {@link forget} is called before. */
  add(request: Draining): number {
    return this.#requests.add(request);
  }

  /** Does not tell any more what `add` has returned a place for; to be called once. */
  forget(place: number): void {
    this.#requests.remove(place);
  }
}
