import type { Model } from '../../gen/understudy/v1/llm_pb.ts';
import type { DefaultModels } from '../catalogue/default-models.ts';
import { KnownModels } from '../catalogue/known-models.ts';
import { listModels } from '../catalogue/list-models.ts';
import { TargetLists } from '../catalogue/target-lists.ts';
import type { Config } from '../config/port/resolved.ts';
import type { Cohort } from '../core/cohort.ts';
import type { System, Timers } from '../core/ports.ts';
import { DEFAULT_ENGINE_CONFIG, type EngineConfig } from '../engine/port/config.ts';
import type { KeptKnowledge } from '../engine/port/kept-knowledge.ts';
import type { RouteTable } from '../engine/route/route.ts';
import { Accounting } from '../pricing/accounting.ts';
import type { PriceFallback } from '../pricing/price-fallback.ts';
import { createPriceTable, type PriceTable } from '../pricing/price-table.ts';
import { AllowedChains } from '../request-plan/allowed-chain.ts';
import { type PlanContext, planRequest } from '../request-plan/plan.ts';
import type { GatewayPort } from '../server/port/gateway-port.ts';
import { keptOf } from '../targets/kept-of.ts';
import { type WiredTarget, wireTarget } from '../targets/wire-target.ts';

/** What all configurations of a process share. */
export interface SharedParts {
  readonly system: System;
  /** Timers that need not keep the process alive. */
  readonly idle: Timers;
  readonly cohort: Cohort;
  readonly priceFallback: PriceFallback;
  readonly defaults: DefaultModels;
  /** Told of all in the answers of a target that its adapter does not know. */
  readonly unknownEvent: (target: string, provider: string) => void;
}

/** What a configuration comes to: whom calls go to, what is known of their models, and what they cost. */
export interface WiredConfig {
  readonly config: Config;
  readonly engine: EngineConfig;
  readonly targets: ReadonlyMap<string, WiredTarget>;
  readonly known: KnownModels;
  readonly chains: AllowedChains;
  readonly lists: TargetLists;
  readonly prices: PriceTable;
  readonly accounting: Accounting;
  /** How much of what the configuration before it has found out of a target, by its name, still holds. */
  readonly keptOf: (target: string) => KeptKnowledge;
  readonly plan: GatewayPort['plan'];
  models(): Promise<readonly Model[]>;
  /**
   * Gives way to the next configuration: calls under way use its keys, and connections that it does not use are closed behind them.
   * Resolves when that is done.
   */
  retire(next: WiredConfig): Promise<void>;
  /** Has at hand what first calls need from elsewhere. Never rejects. */
  prepare(): Promise<void>;
  /** Destroys what is under way and closes all connections. */
  close(): Promise<void>;
}

/**
 * Wires a configuration. Contacts nobody, and changes nothing of the one before it. No closure that is kept may stand where another one
 * captures `before`: each configuration would hold all those before it.
 *
 * @param before what held until now: what still fits is used on
 * @throws RangeError where its prices contradict each other
 */
export function wireConfig(config: Config, shared: SharedParts, before?: WiredConfig): WiredConfig {
  const { system, idle, priceFallback, defaults } = shared;
  const { circuitBreaker, retry, admission } = config;

  // What calls cost.
  const overrides = config.targets.map(({ name, prices }) => ({ target: name, prices }));
  const prices = createPriceTable({ overrides, own: config.prices });
  const accounting = new Accounting(prices, priceFallback, () => system.wall(), config.targets, before?.accounting);

  // Whom calls go to, and what is known of their models.
  const kept = keptTargets(config, before);
  const keptNow = (target: string): KeptKnowledge => kept.get(target) ?? 'NOTHING';
  const targets = wireTargets(config, shared, before);
  const lists = new TargetLists(idle, targets.values(), before?.lists, (target) => keptNow(target) !== 'NOTHING');
  const known = new KnownModels(config.targets, defaults, lists);
  const routeTable: RouteTable = {
    targets: new Map(config.targets.map((target) => [target.name, known.routeTarget(target)])),
    routes: new Map(config.routes.map(({ name, entries }) => [name, entries])),
    learnt: () => known.learnt,
  };

  // How requests are asked of them.
  const chains = new AllowedChains(routeTable);
  const facts: PlanContext['facts'] = (target, model) => known.facts(target, model);
  const planContext: PlanContext = { chains, targets, accounting, facts };
  return {
    config,
    engine: { ...DEFAULT_ENGINE_CONFIG, circuitBreaker, retry, admission },
    targets,
    known,
    chains,
    prices,
    accounting,
    lists,
    keptOf: keptNow,
    plan: (request, streams, use, trace) => {
      known.readListsFor(request.model);
      return planRequest(request, streams, planContext, use, trace);
    },
    models: () => listModels(config.targets, { prices, known, lists }),
    retire: async (next) => {
      lists.close();
      for (const [name, target] of targets) {
        const after = next.targets.get(name);
        if (after !== undefined && next.keptOf(name) === 'ALL_BUT_ACCOUNT') target.goOnAs(after.upstream);
      }
      const after = [...next.targets.values()];
      const transports = new Set(after.map(({ transport }) => transport));
      const upstreams = new Set(after.map(({ upstream }) => upstream));
      const leave = async ({ transport, upstream, forgetTokens }: WiredTarget): Promise<void> => {
        if (!transports.has(transport)) await transport.retire();
        if (!upstreams.has(upstream)) await forgetTokens();
      };
      await Promise.all([...targets.values()].map(leave));
    },
    prepare: async () => {
      await Promise.all([...targets.values()].map(({ upstream }) => upstream.prepare()));
      for (const { name: target, provider, models } of config.targets)
        for (const model of models) accounting.expect({ target, provider, model });
    },
    close: async () => {
      lists.close();
      await Promise.all([...targets.values()].map(({ upstream }) => upstream.close()));
    },
  };
}

function keptTargets(config: Config, before: WiredConfig | undefined): ReadonlyMap<string, KeptKnowledge> {
  const kept = new Map<string, KeptKnowledge>();
  for (const target of config.targets) {
    const known = before?.targets.get(target.name);
    kept.set(target.name, known === undefined ? 'NOTHING' : keptOf(known.config, target));
  }
  return kept;
}

function wireTargets(
  config: Config,
  { system, cohort, unknownEvent }: SharedParts,
  before: WiredConfig | undefined,
): ReadonlyMap<string, WiredTarget> {
  const targets = new Map<string, WiredTarget>();
  for (const target of config.targets) {
    const { name, provider } = target;
    const onUnknown = (): void => unknownEvent(name, provider);
    targets.set(name, wireTarget(target, system, cohort, onUnknown, before?.targets.get(name)));
  }
  return targets;
}
