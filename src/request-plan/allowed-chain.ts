import { type Failure, namedChoices } from '../core/failure.ts';
import type { ChainEntry } from '../engine/port/call.ts';
import { RememberedChains } from '../engine/route/remembered-chains.ts';
import { chooseChain, type RouteTable, type RoutingWish } from '../engine/route/route.ts';
import type { AllowedUse } from '../server/port/gateway-port.ts';

/** What each caller can be routed to. */
export class AllowedChains {
  readonly #table: RouteTable;
  readonly #tables = new WeakMap<AllowedUse, RouteTable>();
  readonly #remembered = new RememberedChains();

  constructor(table: RouteTable) {
    this.#table = table;
  }

  /** Returns the names of the targets that a caller may use; undefined: all. */
  targetsOf(use: AllowedUse): ReadonlySet<string> | undefined {
    return isFree(use) ? undefined : new Set(this.#tableOf(use).targets.keys());
  }

  /** Chooses the chain of a request; MODEL_FORBIDDEN names the field that asks for what the caller may not use. */
  choose(wish: RoutingWish, use: AllowedUse = {}): readonly ChainEntry[] | Failure {
    if (isFree(use)) return this.#remembered.choose(wish, this.#table, () => chooseChain(wish, this.#table));
    const table = this.#tableOf(use);
    return this.#remembered.choose(wish, table, () => this.#chooseAllowed(wish, use, table));
  }

  #chooseAllowed(wish: RoutingWish, use: AllowedUse, table: RouteTable): readonly ChainEntry[] | Failure {
    const route = wish.route === '' ? 'default' : wish.route;
    if (wish.targets.length === 0 && named(use.routes)?.has(route) === false) {
      const message = `The caller may not use the route; it may use: ${namedChoices(use.routes ?? [])}.`;
      return forbidden('routing.route', message);
    }
    const targets = wish.targets.filter((text) => !this.#isHidden(text, table));
    if (targets.length === 0 && wish.targets.length > 0) {
      const message = `The caller may not use the targets; it may use: ${namedChoices(table.targets.keys())}.`;
      return forbidden('routing.targets', message);
    }
    if (this.#hidesModel(wish.model, table)) {
      return forbidden('model', 'The caller may not use any target that has the requested model.');
    }
    const chain = table.targets.size === 0 ? [] : chooseChain({ ...wish, targets }, table);
    if ('reason' in chain || chain.length > 0) return chain;
    const message = 'The caller may not use any target of the route.';
    return forbidden(wish.targets.length > 0 ? 'routing.targets' : 'routing.route', message);
  }

  /** Where only routes are allowed by name, so are their targets, and no others. */
  #tableOf(use: AllowedUse): RouteTable {
    const known = this.#tables.get(use);
    if (known !== undefined) return known;
    const { routes: allRoutes, targets: allTargets } = this.#table;
    const ofRoutes = [...allRoutes].filter(([name]) => named(use.routes)?.has(name) !== false);
    const names = named(use.targets) ?? new Set(ofRoutes.flatMap(([, entries]) => entries.map(({ target }) => target)));
    const routes = new Map(
      ofRoutes.map(([name, entries]) => [name, entries.filter(({ target }) => names.has(target))]),
    );
    const { learnt } = this.#table;
    const made = { targets: new Map([...allTargets].filter(([name]) => names.has(name))), routes, learnt };
    this.#tables.set(use, made);
    return made;
  }

  /** Whether a text, `target` or `target/model`, names a target that the table has not. */
  #isHidden(text: string, { targets }: RouteTable): boolean {
    const name = this.#table.targets.has(text) ? text : text.slice(0, Math.max(0, text.indexOf('/')));
    return this.#table.targets.has(name) && !targets.has(name);
  }

  #hidesModel(model: string, table: RouteTable): boolean {
    if (model === '') return false;
    const isKnown = ({ targets }: RouteTable): boolean => [...targets.values()].some((target) => target.has(model));
    if (isKnown(this.#table)) return !isKnown(table);
    return this.#isHidden(model, table);
  }
}

function isFree({ routes, targets }: AllowedUse): boolean {
  return named(routes) === undefined && named(targets) === undefined;
}

/** A list that names nobody allows all. */
function named(names: ReadonlySet<string> | undefined): ReadonlySet<string> | undefined {
  return names?.size === 0 ? undefined : names;
}

function forbidden(field: string, message: string): Failure {
  return { class: 'local_refusal', reason: 'MODEL_FORBIDDEN', message, field };
}
