import type { Failure } from '../../core/failure.ts';
import type { ChainEntry } from '../port/call.ts';
import type { RouteTable, RoutingWish } from './route.ts';

/** Most chains that are remembered, of all tables together; callers can name models without end. */
const MOST_CHAINS = 256;

/** The chain of a wish, and what was known of models when it was chosen. */
interface RememberedChain {
  readonly chain: readonly ChainEntry[];
  readonly learnt: number;
}

/**
 * Remembers which chain a wish has led to, since most requests wish for the same and a route may have hundreds of targets. What was
 * refused is looked at anew, and everything is once more is known of models.
 */
export class RememberedChains {
  readonly #chains = new Map<RouteTable, Map<string, RememberedChain>>();
  #count = 0;

  /** Returns the chain of a wish in a table; `choose` makes it where it is not known. */
  choose(
    wish: RoutingWish,
    table: RouteTable,
    choose: () => readonly ChainEntry[] | Failure,
  ): readonly ChainEntry[] | Failure {
    const key = keyOf(wish);
    const learnt = table.learnt();
    const known = this.#chains.get(table)?.get(key);
    if (known?.learnt === learnt) return known.chain;
    const chain = choose();
    if ('reason' in chain) return chain;
    if (known === undefined) this.#makeRoom();
    const ofTable = this.#chains.get(table) ?? new Map<string, RememberedChain>();
    this.#chains.set(table, ofTable.set(key, { chain, learnt }));
    return chain;
  }

  #makeRoom(): void {
    if (this.#count === MOST_CHAINS) {
      this.#chains.clear();
      this.#count = 0;
    }
    this.#count += 1;
  }
}

/** Most requests wish for nothing. */
function keyOf({ model, route, targets, preferredProvider, disableFallback, exactModel }: RoutingWish): string {
  const saysNothing = model === '' && route === '' && targets.length === 0 && preferredProvider === '';
  if (saysNothing && !disableFallback && !exactModel) return '';
  return JSON.stringify([model, route, targets, preferredProvider, disableFallback, exactModel]);
}
