import { DAY_MS } from '../../core/calendar.ts';
import type { LimitStoreConfig } from '../../config/port/limit-store-config.ts';
import type { Cohort } from '../../core/cohort.ts';
import type { System } from '../../core/ports.ts';
import type { BudgetPeriod, CallerAccount } from '../port/caller.ts';
import type { Ahead, LimitStore, StoreRefusal } from '../port/limit-store.ts';
import { AnswerClock } from './answer-clock.ts';
import type { FamilyQueue, StoreQuestion } from './family-queue.ts';
import { Families } from './families.ts';
import { Meanwhile, type OwnLimitStore } from './meanwhile.ts';
import type { SharedAccount } from './shared-account.ts';
import { lookAgain } from './look-again.ts';
import { StoreFigures } from './store-figures.ts';
import { openStoreLink, faultWord, type StoreLink } from './store-link.ts';
import { storeGone } from './store-gone.ts';
import { StoreWatch } from './store-watch.ts';

/** What is told without a question may wait so long for company, in milliseconds. */
const COMPANY_MS = 20;

/** How often the store hears of what is under way: three times before it takes it for a dead replica's. */
const RENEW_MS = 5_000;

/** How long what is not yet written may take at the end, in milliseconds. */
const CLOSE_MS = 1_000;

/** What the store is made with. */
export interface SharedLimitsParts {
  readonly config: LimitStoreConfig;
  readonly system: System;
  readonly cohort: Cohort;
  /** Counts while the store does not answer, where calls go on then. */
  readonly meanwhile: OwnLimitStore;
  /** Tells the operator that the store does not answer, or does again. */
  readonly told?: ((message: string) => void) | undefined;
}

/** Counts what accounts do and spend in Redis or Valkey, together with all gateways that count there. */
export class SharedLimits implements LimitStore {
  readonly isShared = true;
  readonly #config: LimitStoreConfig;
  readonly #system: System;
  readonly #cohort: Cohort;
  readonly #meanwhile: Meanwhile | undefined;
  readonly #link: StoreLink;
  readonly #watch: StoreWatch;
  readonly #families: Families;
  /** Resolves when the store has answered for the first time, or is known not to. */
  readonly reached: Promise<void>;
  readonly #clock: AnswerClock;
  /** What the store tells of itself. */
  readonly figures: StoreFigures;
  #isSendingLater = false;
  #isClosed = false;
  constructor({ config, system, cohort, meanwhile, told }: SharedLimitsParts) {
    this.#config = config;
    this.#system = system;
    this.#cohort = cohort;
    this.#meanwhile = config.failureMode === 'open' ? new Meanwhile(meanwhile, system) : undefined;
    const replica = system.newId();
    const reached = Promise.withResolvers<void>();
    this.reached = reached.promise;
    const probe = async (): Promise<void> => {
      await this.#link.run([`${config.keyPrefix}:{probe}`], replica, '0');
      reached.resolve();
    };
    this.#link = openStoreLink(config, system, {
      ready: () => {
        // A connection without a password is ready before the server has said a word.
        if (this.#watch.isUp) probe().catch(() => undefined);
        this.#watch.look();
        this.#families.sendSoon();
      },
      failed: (why) => this.#watch.missed(why),
    });
    this.#watch = new StoreWatch({
      runtime: system,
      timeoutMs: config.timeoutMs,
      probe,
      renew: () => this.#link.renew(),
      changed: (isUp, why) => {
        reached.resolve();
        told?.(isUp ? 'The store of limits answers.' : storeGone(config, why));
        if (isUp) this.#families.sendSoon();
        else for (const question of this.#families.giveUp(Infinity)) this.#withoutStore(question);
      },
    });
    this.#families = new Families(config.keyPrefix, {
      now: () => system.now(),
      inTurn: (run) => cohort.add(run),
      mayAsk: () => this.#link.isReady && this.#watch.isUp,
      run: (keys, numbers) => this.#link.run(keys, replica, numbers),
      answered: (ms) => {
        this.#watch.answered(ms);
        this.figures.took(ms);
      },
      failed: (error) => this.#failed(error),
      withoutStore: (question) => this.#withoutStore(question),
      sendLater: () => this.#sendLater(),
    });
    this.#clock = new AnswerClock(system, () => this.#giveUp());
    this.figures = new StoreFigures(() => this.#watch.isUp && this.#link.isReady);
    this.#renewLater();
  }

  enter(accounts: readonly CallerAccount[], tokens: number, ahead?: Ahead) {
    return this.#ask('enter', accounts, tokens, ahead);
  }

  leave(accounts: readonly CallerAccount[], tokens: number, usedTokens: number): void {
    const wasHere = this.#meanwhile?.leave(accounts, tokens, usedTokens) ?? false;
    this.#tell(accounts, (account) => {
      account.calls = Math.max(0, account.calls - 1);
      account.book(0, wasHere ? usedTokens : usedTokens - tokens);
    });
  }

  reserve(accounts: readonly CallerAccount[], nanoUsd: bigint): Promise<StoreRefusal | undefined> | undefined {
    return this.#ask('reserve', accounts, Number(nanoUsd));
  }

  settle(accounts: readonly CallerAccount[], reservedNanoUsd: bigint, costNanoUsd: bigint): void {
    this.#meanwhile?.settle(accounts, reservedNanoUsd, costNanoUsd);
    this.#tell(accounts, (account) => {
      account.held = Math.max(0, account.held - Number(reservedNanoUsd));
      account.book(Number(costNanoUsd), 0);
      for (const returned of account.waiting) this.#cohort.add(returned);
    });
  }

  onReturn(accounts: readonly CallerAccount[], returned: () => void): () => void {
    const waiting = this.#queueOf(accounts)?.accounts(accounts) ?? [];
    for (const account of waiting) account.waiting.add(returned);
    const stop = lookAgain(this.#system, returned);
    return () => {
      stop();
      for (const account of waiting) account.waiting.delete(returned);
    };
  }

  /** Returns what an account has spent of each of its budgets in the period under way, as far as this process has been told. */
  spentOf(account: CallerAccount): readonly { readonly per: BudgetPeriod; readonly nanoUsd: bigint }[] {
    const [known] = this.#queueOf([account])?.accounts([account]) ?? [];
    const day = Math.floor(this.#system.wall() / DAY_MS);
    return account.budgets.map(({ per }) => ({ per, nanoUsd: BigInt(known?.spent(per, day) ?? 0) }));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const untilMs = this.#system.now() + CLOSE_MS;
    while (this.#families.isTelling && this.#watch.isUp && this.#link.isReady && this.#system.now() < untilMs) {
      this.#families.sendSoon();
      await new Promise<void>((resolve) => {
        this.#system.setTimer(1, resolve);
      });
    }
    this.#watch.close();
    this.#link.close();
  }

  #ask(kind: StoreQuestion['kind'], accounts: readonly CallerAccount[], amount: number, ahead?: Ahead) {
    const queue = this.#queueOf(accounts);
    if (queue === undefined) return undefined;
    return new Promise<StoreRefusal | undefined>((answer) => {
      const question: StoreQuestion = { kind, accounts, amount, askedAtMs: this.#clock.now(), ahead, answer };
      if (!this.#watch.isUp || this.#isClosed) return this.#withoutStore(question);
      queue.ask(question);
      this.#clock.look();
    });
  }

  #tell(accounts: readonly CallerAccount[], change: (account: SharedAccount) => void): void {
    const queue = this.#queueOf(accounts);
    for (const account of queue?.accounts(accounts) ?? []) {
      change(account);
      queue?.touch(account);
    }
    this.#sendLater();
  }

  #queueOf([first]: readonly CallerAccount[]): FamilyQueue | undefined {
    return first && this.#families.of(first.family);
  }

  /** Answers in the way of the failure mode. What is let in here is told to the store like all else that is under way. */
  #withoutStore(question: StoreQuestion): void {
    const { kind, accounts, amount, answer } = question;
    question.answer = undefined;
    if (answer === undefined) return;
    if (this.#meanwhile === undefined || this.#isClosed) {
      this.figures.refused += 1;
      return answer({ kind: 'unavailable' });
    }
    this.figures.counted += 1;
    const known = this.#queueOf(accounts)?.accounts(accounts) ?? [];
    const counted =
      kind === 'enter'
        ? this.#meanwhile.enter(accounts, amount)
        : this.#meanwhile.reserve(accounts, BigInt(amount), known);
    const granted = (refusal: StoreRefusal | undefined): void => {
      if (refusal === undefined) {
        this.#tell(accounts, (account) => {
          if (kind === 'enter') account.calls += 1;
          else account.held += amount;
        });
      }
      answer(refusal);
    };
    counted.then(granted, () => answer({ kind: 'unavailable' }));
  }

  #failed(error: unknown): boolean {
    // A connection that broke is being made again, and says so itself.
    if (!this.#link.isReady) return true;
    const why = faultWord(error);
    this.#watch.missed(why);
    // It has become a replica: the new primary may have taken over its name.
    if (why === 'READONLY') this.#link.renew();
    return false;
  }

  #giveUp(): void {
    const late = this.#families.giveUp(this.#clock.now() - this.#config.timeoutMs);
    this.figures.timeouts += late.length;
    for (const question of late) this.#withoutStore(question);
    if (late.length > 0) this.#watch.late();
    if (this.#families.oldestAskedAtMs < Infinity) this.#clock.look();
  }

  #sendLater(): void {
    if (this.#isSendingLater) return;
    this.#isSendingLater = true;
    this.#system.setIdleTimer(COMPANY_MS, () => {
      this.#isSendingLater = false;
      this.#families.sendSoon();
    });
  }

  #renewLater(): void {
    // With a jitter, so that gateways do not all come at once.
    const inMs = RENEW_MS * (0.75 + this.#system.random() / 4);
    this.#system.setIdleTimer(inMs, () => {
      if (this.#isClosed) return;
      this.#families.tellAllUnderWay();
      this.#renewLater();
    });
  }
}
