import type { AllowanceConfig, CallerConfig, CallersConfig } from '../config/port/caller-config.ts';
import type { Caller, CallerAccount } from './port/caller.ts';

/** Makes callers of the entries of the configuration. */
export class NamedCallers {
  readonly #entries: ReadonlyMap<string, CallerConfig>;
  readonly #groups: ReadonlyMap<string, AllowanceConfig>;
  readonly #callers = new Map<string, Caller>();

  constructor({ callers, groups }: CallersConfig) {
    this.#entries = new Map(callers.map((caller) => [caller.name, caller]));
    this.#groups = new Map(groups.map((group) => [group.name, group]));
  }

  /** Returns the caller of an entry, always the same one; undefined where there is no such entry. */
  get(name: string): Caller | undefined {
    const known = this.#callers.get(name);
    if (known !== undefined) return known;
    const entry = this.#entries.get(name);
    if (entry === undefined) return undefined;
    const caller = this.#make(entry, name);
    this.#callers.set(name, caller);
    return caller;
  }

  /** Makes one of the many callers that an entry stands for, with an account of its own. */
  ofValue(entry: CallerConfig, value: string): Caller {
    return this.#make(entry, `${entry.name}:${value}`);
  }

  #make(entry: CallerConfig, name: string): Caller {
    const { group } = entry;
    const ownKey = `caller:${name}`;
    const groupKey = group === undefined ? undefined : `group:${group}`;
    const family = groupKey ?? ownKey;
    const ofGroup = group === undefined ? undefined : this.#groups.get(group);
    return {
      name,
      metricName: entry.name,
      group,
      routes: entry.routes && new Set(entry.routes),
      targets: entry.targets && new Set(entry.targets),
      accounts: [
        ...accountOf(ownKey, family, entry),
        ...(groupKey === undefined || ofGroup === undefined ? [] : accountOf(groupKey, family, ofGroup)),
      ],
    };
  }
}

/** Returns the accounts of callers and groups that are named, by their keys. */
export function accountsOf(config: CallersConfig = { callers: [], groups: [] }): ReadonlyMap<string, CallerAccount> {
  const named = new NamedCallers(config);
  const callers = config.callers.flatMap(({ name }) => named.get(name) ?? []);
  return new Map(callers.flatMap(({ accounts }) => accounts).map((account) => [account.key, account]));
}

function accountOf(key: string, family: string, { limits, budgets }: AllowanceConfig): readonly CallerAccount[] {
  const isUnlimited = Object.values(limits).every((limit) => limit === undefined) && budgets.length === 0;
  return isUnlimited ? [] : [{ key, family, limits, budgets }];
}
