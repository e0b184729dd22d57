import { Code } from '@connectrpc/connect';

/** How many streams may watch the health of this process on one connection: a client has one for each of its channels. */
const MOST_PER_CONNECTION = 20;
/** How many may watch in all. */
const MOST_WATCHERS = 1_000;

/** The places of those who watch health, so that neither one connection nor many can make every change of a state dear. */
export class WatchPlaces {
  /** As {@link HEALTH_WATCH} says. */
  readonly refusal = {
    'grpc-status': String(Code.Unimplemented),
    'grpc-message': 'No more streams may watch; Check still answers.',
  };
  readonly #taken = new Map<string, number>();
  #total = 0;

  /**
   * Takes a place.
   *
   * @param key the connection
   * @returns how it is given back, once; undefined where none is left
   */
  take(key: string): (() => void) | undefined {
    const taken = this.#taken.get(key) ?? 0;
    if (taken >= MOST_PER_CONNECTION || this.#total >= MOST_WATCHERS) return undefined;
    this.#taken.set(key, taken + 1);
    this.#total++;
    return () => {
      const left = (this.#taken.get(key) ?? 0) - 1;
      if (left > 0) this.#taken.set(key, left);
      else this.#taken.delete(key);
      this.#total--;
    };
  }
}

/** Whoever is refused it with UNIMPLEMENTED calls without health checks, whereas any other status would keep them from calling (gRFC A17). */
export const HEALTH_WATCH = '/grpc.health.v1.Health/Watch';
