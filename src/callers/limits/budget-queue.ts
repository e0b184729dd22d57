import type { Failure } from '../../core/failure.ts';
import type { CallerAccount } from '../port/caller.ts';
import type { LimitStore, StoreAnswer, StoreRefusal } from '../port/limit-store.ts';
import { quotaFailure } from './quota-failures.ts';

/** A call that waits until others give back what they have reserved. */
export interface WaitingClaim {
  readonly accounts: readonly CallerAccount[];
  /** Asks the store once more. */
  ask(): StoreAnswer;
  /** Told what was decided: undefined is leave. */
  decide(failure: Failure | undefined): void;
  /** Whether it waits no longer. */
  readonly isOver: boolean;
}

interface Line {
  readonly waiting: WaitingClaim[];
  readonly stop: () => void;
  /** Whether the first of them is being asked for, and whether something came back meanwhile. */
  asking: boolean;
  again: boolean;
}

/** Calls that wait for one budget each, first come, first served. */
export class BudgetQueue {
  readonly #store: LimitStore;
  readonly #lines = new Map<string, Line>();

  constructor(store: LimitStore) {
    this.#store = store;
  }

  /** Returns the account for whose budget others wait already; undefined where nobody does. */
  lineOf(accounts: readonly CallerAccount[]): CallerAccount | undefined {
    if (this.#lines.size === 0) return undefined;
    return accounts.find(({ key }) => this.#lines.has(key));
  }

  /** Puts a claim behind the others that wait for a budget of an account. */
  add(account: CallerAccount, claim: WaitingClaim): void {
    const line = this.#lines.get(account.key) ?? this.#open(account);
    line.waiting.push(claim);
    // What it waits for may have come back since it was refused.
    if (line.waiting.length === 1) this.#serve(account.key, line);
  }

  /** Looks after a claim that waits no longer. */
  left(accounts: readonly CallerAccount[]): void {
    for (const { key } of accounts) {
      const line = this.#lines.get(key);
      if (line !== undefined) this.#serve(key, line);
    }
  }

  #open(account: CallerAccount): Line {
    const line: Line = {
      waiting: [],
      stop: this.#store.onReturn([account], () => this.#serve(account.key, line)),
      asking: false,
      again: false,
    };
    this.#lines.set(account.key, line);
    return line;
  }

  /** Asks for the first, and for the next ones as long as they are decided on. One at a time. */
  #serve(key: string, line: Line): void {
    if (line.asking) {
      line.again = true;
      return;
    }
    for (;;) {
      while (line.waiting[0]?.isOver === true) line.waiting.shift();
      const [first] = line.waiting;
      if (first === undefined) {
        line.stop();
        if (this.#lines.get(key) === line) this.#lines.delete(key);
        return;
      }
      line.again = false;
      line.asking = true;
      const answer = first.ask();
      if (answer instanceof Promise) {
        void answer.then((refusal) => {
          line.asking = false;
          if (this.#decided(key, line, first, refusal) || line.again) this.#serve(key, line);
        });
        return;
      }
      line.asking = false;
      if (!this.#decided(key, line, first, answer) && !line.again) return;
    }
  }

  /** Tells a claim what was decided; false where it goes on waiting. */
  #decided(key: string, line: Line, claim: WaitingClaim, refusal: StoreRefusal | undefined): boolean {
    if (refusal?.kind === 'reserved') {
      if (refusal.account.key === key) return false;
      line.waiting.shift();
      this.add(refusal.account, claim);
      return true;
    }
    line.waiting.shift();
    claim.decide(refusal && quotaFailure(refusal));
    return true;
  }
}
