import type { Runtime } from '../../core/ports.ts';
import type { BudgetPeriod, CallerAccount } from '../port/caller.ts';
import type { LimitStore, StoreAnswer } from '../port/limit-store.ts';
import type { SharedAccount } from './shared-account.ts';

/** A store of this process alone, which can be told what was spent before. */
export interface OwnLimitStore extends LimitStore {
  restore(spent: Iterable<{ readonly key: string; readonly per: BudgetPeriod; readonly nanoUsd: bigint }>): void;
  /** Returns what is spent of each budget of an account in the period under way. */
  spentOf(account: CallerAccount): readonly { readonly per: BudgetPeriod; readonly nanoUsd: bigint }[];
}

/** Milliseconds of a day. */
const DAY_MS = 86_400_000;

/** Counts in this process what the shared store cannot be asked about, from what was last known of it. */
export class Meanwhile {
  readonly #store: OwnLimitStore;
  readonly #runtime: Pick<Runtime, 'wall'>;
  /** Calls and reservations under way that were let in here, by their first account: those of one are of the same accounts. */
  readonly #calls = new Map<string, number>();
  readonly #reservations = new Map<string, Map<bigint, number>>();

  constructor(store: OwnLimitStore, runtime: Pick<Runtime, 'wall'>) {
    this.#store = store;
    this.#runtime = runtime;
  }

  /** As {@link LimitStore.enter}. */
  async enter(accounts: readonly CallerAccount[], tokens: number): Promise<Awaited<StoreAnswer>> {
    const refusal = await this.#store.enter(accounts, tokens);
    if (refusal === undefined) add(this.#calls, keyOf(accounts), 1);
    return refusal;
  }

  /**
   * As {@link LimitStore.reserve}.
   *
   * @param known what this replica knows of each of the accounts
   */
  async reserve(
    accounts: readonly CallerAccount[],
    nanoUsd: bigint,
    known: readonly SharedAccount[],
  ): Promise<Awaited<StoreAnswer>> {
    accounts.forEach((account, index) => this.#catchUp(account, known[index]));
    const refusal = await this.#store.reserve(accounts, nanoUsd);
    if (refusal !== undefined) return refusal;
    const key = keyOf(accounts);
    const reservations = this.#reservations.get(key) ?? new Map<bigint, number>();
    this.#reservations.set(key, reservations);
    add(reservations, nanoUsd, 1);
    return undefined;
  }

  /** Ends a call where one was let in here for these accounts; tells whether. */
  leave(accounts: readonly CallerAccount[], tokens: number, usedTokens: number): boolean {
    if (!add(this.#calls, keyOf(accounts), -1)) return false;
    this.#store.leave(accounts, tokens, usedTokens);
    return true;
  }

  /** Settles a reservation of this sum where one was granted here to these accounts. */
  settle(accounts: readonly CallerAccount[], reservedNanoUsd: bigint, costNanoUsd: bigint): void {
    const key = keyOf(accounts);
    const reservations = this.#reservations.get(key);
    if (reservations === undefined || !add(reservations, reservedNanoUsd, -1)) return;
    if (reservations.size === 0) this.#reservations.delete(key);
    this.#store.settle(accounts, reservedNanoUsd, costNanoUsd);
  }

  #catchUp(account: CallerAccount, known: SharedAccount | undefined): void {
    if (known === undefined) return;
    const day = Math.floor(this.#runtime.wall() / DAY_MS);
    for (const { per, nanoUsd } of this.#store.spentOf(account)) {
      const missing = BigInt(known.spent(per, day)) - nanoUsd;
      if (missing > 0n) this.#store.restore([{ key: account.key, per, nanoUsd: missing }]);
    }
  }
}

function keyOf(accounts: readonly CallerAccount[]): string {
  return accounts[0]?.key ?? '';
}

/** Changes a count, which is never kept at 0 nor below; tells whether it could. */
function add<Key>(counts: Map<Key, number>, key: Key, change: 1 | -1): boolean {
  const count = (counts.get(key) ?? 0) + change;
  if (count < 0) return false;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
  return true;
}
