import type { Failure } from '../../../core/failure.ts';
import type { Runtime, TimerHandle } from '../../../core/ports.ts';
import { localRefusal, shuttingDown } from '../../port/failures.ts';
import type { AdmissionConfig } from '../../port/config.ts';
import type { EngineLoad, RefusalCause } from '../../port/engine-load.ts';
import { mayTake } from './share.ts';

/** A queued request waits for at most this share of the time that it has left (engine rule A2). */
const WAIT_SHARE = 0.1;
/** After how many milliseconds a refused caller may come again, at the least (engine rule A3). */
export const COME_AGAIN_MS = 1_000;
/** Accounts of keys that hold nothing are kept up to so many in all: most come again, and a Map that changes with each call keeps garbage. */
const KEPT_ACCOUNTS = 1_000;
/** Once full, it counts as full until no more than this share of the slots is taken. */
const ROOMY_SHARE = 0.9;

/** Returns how long a request that has `remainingMs` milliseconds left may wait for a slot (engine rule A2). */
export function longestSlotWaitMs({ maxWaitMs }: AdmissionConfig, remainingMs: number): number {
  return Math.min(maxWaitMs, remainingMs * WAIT_SHARE);
}

/** The right to be under way; to be given back, once, when the request has ended. */
export interface Slot {
  release(): void;
}

/** A request in the queue. `settle` takes it out of the queue's hands: its timer and listener are gone. */
interface Waiter {
  settle(outcome: Slot | Failure): void;
}

/** What one key holds. */
interface Account {
  active: number;
  /** In the order of arrival. */
  readonly waiters: Set<Waiter>;
}

type Clock = Pick<Runtime, 'now' | 'setTimer' | 'clearTimer'>;

/**
 * Bounds how many requests are under way, in all and for each key. Who may have no slot now waits for a little; a slot that is
 * given back goes, in the same turn, to the key whose turn it is, and of its requests to the first (engine rules A2, A3, A5, D2).
 */
export class AdmissionQueue {
  #config: AdmissionConfig;
  readonly #runtime: Clock;
  readonly #isOverloaded: () => boolean;
  readonly #accounts = new Map<string, Account>();
  /** How many accounts there may be before those that hold nothing are forgotten. */
  #mostAccounts = KEPT_ACCOUNTS;
  /** Keys that wait, the one whose turn is next first. None of them may take a slot that is free now. */
  readonly #turns = new Set<Account>();
  readonly #refused: Record<RefusalCause, number> = { overloaded: 0, queue_full: 0, share: 0, wait: 0 };
  #active = 0;
  #queued = 0;
  #fullSinceMs: number | undefined;
  #isClosed = false;

  /** @param isOverloaded whether the process can take nothing new; what is under way or queued is not asked */
  constructor(config: AdmissionConfig, runtime: Clock, isOverloaded: () => boolean) {
    this.#config = config;
    this.#runtime = runtime;
    this.#isOverloaded = isOverloaded;
  }

  /** Has other bounds hold from now on; nobody who is let in or waits is sent away. */
  configure(config: AdmissionConfig): void {
    this.#config = config;
    this.#giveTurns();
  }

  /** What is taken and what was refused. */
  get load(): EngineLoad {
    const { maxActive, maxQueued } = this.#config;
    return {
      active: this.#active,
      maxActive,
      queued: this.#queued,
      maxQueued,
      refused: { ...this.#refused },
      fullForMs: this.#fullSinceMs === undefined ? 0 : this.#runtime.now() - this.#fullSinceMs,
      isOverloaded: this.#isOverloaded(),
    };
  }

  /** Whether half of the slots are taken, or more (engine rule K9). */
  get isHalfTaken(): boolean {
    return 2 * this.#active >= this.#config.maxActive;
  }

  /** Whether it admits nobody any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Asks for a slot. A promise means that the request is queued; a failure, that it is refused and has contacted nobody.
   *
   * @param key whose share the request is counted against
   * @param remainingMs the time that the request has left
   * @param signal the request's own; where it aborts, the request leaves the queue in the same turn
   */
  enter(key: string, remainingMs: number, signal: AbortSignal): Slot | Failure | Promise<Slot | Failure> {
    if (this.#isClosed) return shuttingDown();
    if (this.#isOverloaded()) return this.#refuse('overloaded');
    const account = this.#account(key);
    if (this.#mayHaveSlot(account)) return this.#slot(account);
    const { maxQueued, maxShare } = this.#config;
    const waitMs = longestSlotWaitMs(this.#config, remainingMs);
    if (waitMs <= 0 || signal.aborted) return this.#refuse('wait');
    const places = maxQueued - this.#queued;
    if (places <= 0) return this.#refuse('queue_full');
    if (!mayTake(account.waiters.size, places, maxShare)) return this.#refuse('share');
    return this.#wait(account, waitMs, signal);
  }

  /** Admits nobody any more and sends those who wait away (engine rule D2). */
  close(): void {
    this.#isClosed = true;
    for (const { waiters } of this.#turns) {
      for (const waiter of waiters) waiter.settle(shuttingDown());
    }
  }

  #account(key: string): Account {
    const known = this.#accounts.get(key);
    if (known !== undefined) return known;
    if (this.#accounts.size >= this.#mostAccounts) this.#forgetIdle();
    const account: Account = { active: 0, waiters: new Set() };
    this.#accounts.set(key, account);
    return account;
  }

  /** Looks at all accounts, and therefore not again before there are twice as many. */
  #forgetIdle(): void {
    for (const [key, { active, waiters }] of this.#accounts) {
      if (active === 0 && waiters.size === 0) this.#accounts.delete(key);
    }
    this.#mostAccounts = Math.max(KEPT_ACCOUNTS, 2 * this.#accounts.size);
  }

  #mayHaveSlot({ active }: Account): boolean {
    const { maxActive, maxShare } = this.#config;
    return mayTake(active, maxActive - this.#active, maxShare);
  }

  #slot(account: Account): Slot {
    account.active++;
    this.#active++;
    if (this.#active >= this.#config.maxActive) this.#fullSinceMs ??= this.#runtime.now();
    let isReleased = false;
    return {
      release: () => {
        if (isReleased) return;
        isReleased = true;
        account.active--;
        this.#active--;
        this.#giveTurns();
        if (this.#active <= this.#config.maxActive * ROOMY_SHARE) this.#fullSinceMs = undefined;
      },
    };
  }

  /** Gives the slots that are free to those who wait, as long as one of them may have one: a slot for each key in its turn. */
  #giveTurns(): void {
    if (this.#turns.size === 0) return;
    for (let next = this.#nextTurn(); next !== undefined; next = this.#nextTurn()) {
      const [first] = next.waiters;
      first?.settle(this.#slot(next));
      if (next.waiters.size === 0) continue;
      this.#turns.delete(next);
      this.#turns.add(next);
    }
  }

  #nextTurn(): Account | undefined {
    for (const account of this.#turns) {
      if (this.#mayHaveSlot(account)) return account;
    }
    return undefined;
  }

  #wait(account: Account, waitMs: number, signal: AbortSignal): Promise<Slot | Failure> {
    const { promise, resolve } = Promise.withResolvers<Slot | Failure>();
    const settle = (outcome: Slot | Failure): void => {
      account.waiters.delete(waiter);
      if (account.waiters.size === 0) this.#turns.delete(account);
      this.#queued--;
      this.#runtime.clearTimer(timer);
      signal.removeEventListener('abort', leave);
      resolve(outcome);
    };
    const leave = (): void => settle(overloaded());
    const timer: TimerHandle = this.#runtime.setTimer(waitMs, () => settle(this.#refuse('wait')));
    const waiter: Waiter = { settle };
    signal.addEventListener('abort', leave, { once: true });
    account.waiters.add(waiter);
    this.#turns.add(account);
    this.#queued++;
    return promise;
  }

  #refuse(cause: RefusalCause): Failure {
    this.#refused[cause]++;
    return overloaded();
  }
}

function overloaded(): Failure {
  return localRefusal('OVERLOADED', 'The gateway has too much to do.', COME_AGAIN_MS);
}
