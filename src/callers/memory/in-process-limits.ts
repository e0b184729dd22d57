import type { Runtime } from '../../core/ports.ts';
import type { CallerAccount } from '../port/caller.ts';
import type { BudgetRefusal, LimitStore, StoreRefusal } from '../port/limit-store.ts';
import { AccountState } from './account-state.ts';
import type { SpentBefore } from './spent-before.ts';

/** Accounts that are remembered: callers that tokens name may be many. */
const MOST_ACCOUNTS = 100_000;

/** Counts what accounts do and spend, for one process. Answers at once; a step costs the same however many accounts there are. */
export class InProcessLimits implements LimitStore {
  readonly #clock: Pick<Runtime, 'now' | 'wall'>;
  readonly #most: number;
  readonly #accounts = new Map<string, AccountState>();
  readonly #listeners = new Map<string, Set<() => void>>();
  /** Of how many accounts those that are at rest are looked for. */
  #lookAt = 1_000;

  constructor(clock: Pick<Runtime, 'now' | 'wall'>, mostAccounts: number = MOST_ACCOUNTS) {
    this.#clock = clock;
    this.#most = mostAccounts;
  }

  enter(accounts: readonly CallerAccount[], tokens: number): StoreRefusal | undefined {
    const nowMs = this.#clock.now();
    let refusal: Extract<StoreRefusal, { kind: 'limited' }> | undefined;
    for (const account of accounts) {
      const reached = this.#stateOf(account.key).reached(account, tokens, nowMs);
      if (reached === undefined || (refusal !== undefined && !(waitOf(reached) > waitOf(refusal)))) continue;
      const retryAfterMs = reached.waitMs === Infinity ? undefined : reached.waitMs;
      refusal = { kind: 'limited', account, limit: reached.limit, retryAfterMs };
    }
    if (refusal !== undefined) return refusal;
    for (const account of accounts) this.#stateOf(account.key).enter(account, tokens, nowMs);
    return undefined;
  }

  leave(accounts: readonly CallerAccount[], tokens: number, usedTokens: number): void {
    // What is given back is so at any time.
    const nowMs = usedTokens > tokens ? this.#clock.now() : 0;
    for (const account of accounts) this.#stateOf(account.key).leave(account, usedTokens - tokens, nowMs);
  }

  reserve(accounts: readonly CallerAccount[], nanoUsd: bigint): StoreRefusal | undefined {
    const wallMs = this.#clock.wall();
    let refused: BudgetRefusal | undefined;
    for (const account of accounts) {
      for (const budget of account.budgets) {
        const counted = this.#stateOf(account.key).budget(budget, wallMs);
        const kind = counted.refuses(budget, nanoUsd, wallMs);
        if (kind === undefined) continue;
        const refusal: BudgetRefusal = { kind, account, budget, renewsAtMs: counted.renewsAtMs };
        if (refused === undefined || isWorse(refusal, refused)) refused = refusal;
      }
    }
    if (refused !== undefined) return refused;
    for (const account of accounts) {
      for (const budget of account.budgets) this.#stateOf(account.key).budget(budget, wallMs).reserve(nanoUsd);
    }
    return undefined;
  }

  settle(accounts: readonly CallerAccount[], reservedNanoUsd: bigint, costNanoUsd: bigint): void {
    const wallMs = this.#clock.wall();
    for (const account of accounts) {
      const state = this.#stateOf(account.key);
      for (const budget of account.budgets) {
        state.budget(budget, wallMs).settle(reservedNanoUsd, costNanoUsd, wallMs);
      }
    }
    if (this.#listeners.size === 0) return;
    for (const { key } of accounts) for (const listener of this.#listeners.get(key) ?? []) listener();
  }

  onReturn(accounts: readonly CallerAccount[], returned: () => void): () => void {
    for (const { key } of accounts) {
      const listeners = this.#listeners.get(key) ?? new Set();
      this.#listeners.set(key, listeners.add(returned));
    }
    return () => {
      for (const { key } of accounts) {
        const listeners = this.#listeners.get(key);
        if (listeners?.delete(returned) === true && listeners.size === 0) this.#listeners.delete(key);
      }
    };
  }

  /** Books what was spent, in the period that is under way, as far as it was not counted here. */
  restore(spent: Iterable<SpentBefore>): void {
    const wallMs = this.#clock.wall();
    for (const { key, per, nanoUsd } of spent) {
      const counted = this.#stateOf(key).budget({ per, nanoUsd: 0n }, wallMs);
      const missing = nanoUsd - counted.spent(wallMs);
      if (missing > 0n) counted.settle(0n, missing, wallMs);
    }
  }

  /** Returns what an account has spent of each of its budgets in the period that is under way. */
  spentOf({ key, budgets }: CallerAccount): readonly SpentBefore[] {
    const wallMs = this.#clock.wall();
    return budgets.map((budget) => {
      const nanoUsd = this.#accounts.get(key)?.budget(budget, wallMs).spent(wallMs) ?? 0n;
      return { key, per: budget.per, nanoUsd };
    });
  }

  /** How many accounts are remembered. */
  get size(): number {
    return this.#accounts.size;
  }

  async close(): Promise<void> {
    this.#listeners.clear();
  }

  #stateOf(key: string): AccountState {
    const known = this.#accounts.get(key);
    if (known !== undefined) return known;
    const made = new AccountState();
    this.#accounts.set(key, made);
    if (this.#accounts.size >= this.#lookAt) this.#forgetSome();
    return made;
  }

  /**
   * Forgets accounts of which nothing is lost; where that leaves too many, those of values of claims that came first and have no call
   * under way. What the configuration names is never forgotten: many values must not renew their group's budget.
   */
  #forgetSome(): void {
    const { now, wall } = { now: this.#clock.now(), wall: this.#clock.wall() };
    const newest = this.#accounts.size - 1;
    let index = 0;
    for (const [key, state] of this.#accounts) {
      if (index++ < newest && state.isUntouched(now, wall)) this.#accounts.delete(key);
    }
    for (const [key, state] of this.#accounts) {
      if (this.#accounts.size <= this.#most) break;
      if (isOfValue(key) && !state.isBusy) this.#accounts.delete(key);
    }
    this.#lookAt = Math.max(1_000, Math.min(2 * this.#accounts.size, this.#most + 1 + this.#most / 10));
  }
}

/** Whether an account is that of one of the many callers of an entry, `caller:NAME:VALUE`; names have no colons. */
function isOfValue(key: string): boolean {
  return key.indexOf(':') !== key.lastIndexOf(':');
}

/** What is exhausted for longest counts more than what others have reserved. */
function isWorse(one: BudgetRefusal, other: BudgetRefusal): boolean {
  if (one.kind !== other.kind) return one.kind === 'exhausted';
  return one.kind === 'exhausted' && one.renewsAtMs > other.renewsAtMs;
}

/** Who tells no time may be tried again first. */
function waitOf(refusal: { readonly waitMs?: number | undefined; readonly retryAfterMs?: number | undefined }): number {
  return refusal.waitMs ?? refusal.retryAfterMs ?? 0;
}
