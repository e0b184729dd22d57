import { namedChoices } from '../../core/failure.ts';
import type { Failure, FailureReason } from '../../core/failure.ts';
import { OTHER_MODELS } from '../../core/model-id.ts';
import type { ChainEntry } from '../port/call.ts';

/** A target as routing knows it. */
export interface RouteTarget {
  readonly name: string;
  readonly provider: string;
  /** The default model; empty where the target itself chooses. */
  readonly model: string;
  /** Whether the configuration names this model for the target: its default, its list, or an entry of a route. */
  isConfigured(model: string): boolean;
  /** Whether a catalogue of the target has this model: the configuration, the price table, or the provider's list. */
  has(model: string): boolean;
  /** Returns the tokens that prompt and answer of a model may have together, where known. */
  contextWindow(model: string): number | undefined;
}

/** One entry of a route; without a model it is the target's own. */
export interface RouteEntry {
  readonly target: string;
  readonly model?: string | undefined;
}

/** What can be routed to. */
export interface RouteTable {
  readonly targets: ReadonlyMap<string, RouteTarget>;
  /** Always has `default`. */
  readonly routes: ReadonlyMap<string, readonly RouteEntry[]>;
  /** How often something about the models of the targets has been learnt: then requests may have other chains. */
  readonly learnt: () => number;
}

/** What a request says about where it goes. Empty strings and lists mean that it says nothing. */
export interface RoutingWish {
  readonly model: string;
  readonly route: string;
  readonly targets: readonly string[];
  readonly preferredProvider: string;
  readonly disableFallback: boolean;
  readonly exactModel: boolean;
}

/** Chooses the chain of a request; a failure names the field (engine rule A4). */
export function chooseChain(wish: RoutingWish, table: RouteTable): readonly ChainEntry[] | Failure {
  if (table.targets.size === 0) return refuse('NO_PROVIDER_CONFIGURED', 'No provider is configured.');
  const listed = listedEntries(wish, table);
  if ('reason' in listed) return listed;
  const preferred = wish.preferredProvider === '' ? listed : prefer(listed, wish.preferredProvider, table);
  if ('reason' in preferred) return preferred;
  const named = wish.model === '' ? preferred : withModel(preferred, wish, table);
  const chain = distinct(named).flatMap((entry) => chainEntry(entry, table));
  return wish.disableFallback ? chain.slice(0, 1) : chain;
}

/** Splits `target/model` at the first slash, where the left part names a target; undefined otherwise. */
function splitTarget(text: string, table: RouteTable): { readonly target: string; readonly model: string } | undefined {
  const slash = text.indexOf('/');
  if (slash < 1 || slash === text.length - 1) return undefined;
  const target = text.slice(0, slash);
  return table.targets.has(target) ? { target, model: text.slice(slash + 1) } : undefined;
}

/** Leaves out what stands in the list before. */
function distinct(entries: readonly RouteEntry[]): readonly RouteEntry[] {
  const known = new Map<string, Set<string | undefined>>();
  return entries.filter(({ target, model }) => {
    const models = known.get(target) ?? new Set();
    if (models.has(model)) return false;
    known.set(target, models.add(model));
    return true;
  });
}

function listedEntries(wish: RoutingWish, table: RouteTable): readonly RouteEntry[] | Failure {
  if (wish.targets.length === 0) {
    const route = table.routes.get(wish.route === '' ? 'default' : wish.route);
    const message = `There is no such route; there are: ${namedChoices(table.routes.keys())}.`;
    return route ?? refuse('ROUTE_NOT_FOUND', message, 'routing.route');
  }
  const entries: RouteEntry[] = [];
  for (const [index, text] of wish.targets.entries()) {
    const entry = table.targets.has(text) ? { target: text } : splitTarget(text, table);
    if (entry === undefined) {
      const message = `There is no such target; there are: ${namedChoices(table.targets.keys())}.`;
      return refuse('TARGET_NOT_FOUND', message, `routing.targets[${index}]`);
    }
    entries.push(entry);
  }
  return entries;
}

function prefer(entries: readonly RouteEntry[], wanted: string, table: RouteTable): readonly RouteEntry[] | Failure {
  const isWanted = ({ target }: RouteEntry): boolean =>
    target === wanted || table.targets.get(target)?.provider === wanted;
  const first = entries.filter(isWanted);
  if (first.length === 0) {
    const names = entries.map(({ target }) => saidOf(target, table));
    const message = `No entry of the route is of this provider or target; it has: ${namedChoices(names)}.`;
    return refuse('TARGET_NOT_FOUND', message, 'routing.preferred_provider');
  }
  return [...first, ...entries.filter((entry) => !isWanted(entry))];
}

/** Names a target, and its provider where it has another name. */
function saidOf(target: string, table: RouteTable): string {
  const provider = table.targets.get(target)?.provider ?? target;
  return provider === target ? target : `${target} (${provider})`;
}

/** Gives the requested model to the targets that have it, in front; the others answer with their own, or not at all. */
function withModel(entries: readonly RouteEntry[], wish: RoutingWish, table: RouteTable): readonly RouteEntry[] {
  const isCatalogued = [...table.targets.values()].some((target) => target.has(wish.model));
  const named = isCatalogued ? undefined : splitTarget(wish.model, table);
  const model = named?.model ?? wish.model;
  const having = entries.filter(
    (entry) => entry.target !== named?.target && table.targets.get(entry.target)?.has(model) === true,
  );
  const [firstEntry] = entries;
  const front: RouteEntry[] = having.map(({ target }) => ({ target, model }));
  if (named !== undefined) front.unshift(named);
  else if (front.length === 0 && firstEntry !== undefined) front.push({ target: firstEntry.target, model });
  if (wish.exactModel) return front;
  const inFront = new Set(front.map(({ target }) => target));
  return [...front, ...entries.filter(({ target }) => !inFront.has(target))];
}

function chainEntry(entry: RouteEntry, table: RouteTable): ChainEntry[] {
  const target = table.targets.get(entry.target);
  if (target === undefined) return [];
  const model = entry.model ?? target.model;
  const isConfigured = target.isConfigured(model);
  return [
    {
      target: target.name,
      provider: target.provider,
      model,
      circuit: isConfigured || target.has(model) ? model : OTHER_MODELS,
      modelNamedByCaller: !isConfigured,
      contextWindow: target.contextWindow(model),
    },
  ];
}

function refuse(reason: FailureReason, message: string, field?: string): Failure {
  return { class: 'local_refusal', reason, message, field };
}
