import type { Code } from '@connectrpc/connect';

/** How many streams may watch this process on one connection: a client has one for each of its channels. */
const MOST_PER_CONNECTION = 20;
/** How many may watch in all. */
const MOST_WATCHERS = 1_000;

/** The places of those who watch health or load, so that neither one connection nor many can make every change of a state dear. */
export class WatchPlaces {
  readonly refusal;
  readonly #taken = new Map<string, number>();
  #total = 0;

  /** @param code what a call is refused with that finds no place, and its message */
  constructor(code: Code, message: string) {
    this.refusal = { 'grpc-status': String(code), 'grpc-message': message };
  }

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

/**
 * Streams that clients open by themselves. Who is refused them with UNIMPLEMENTED calls without them; any other status would keep it from
 * calling (gRFC A17), or have it try again and again (gRFC A51).
 */
const WATCHES: ReadonlySet<string> = new Set([
  '/grpc.health.v1.Health/Watch',
  '/xds.service.orca.v3.OpenRcaService/StreamCoreMetrics',
]);

/** Whether the calls of a method, by its path, are streams that clients open by themselves. */
export function isWatch(path: string): boolean {
  return WATCHES.has(path);
}
