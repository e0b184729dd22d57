import type { CallerAccount } from '../port/caller.ts';
import type { Ahead, StoreRefusal } from '../port/limit-store.ts';
import { NOTHING_AHEAD, refusalOf } from './script-refusal.ts';
import { SharedAccount } from './shared-account.ts';

/** Most questions, and most accounts without one, that are put to the store at a time: it serves nobody else meanwhile. */
const MOST_QUESTIONS = 256;
const MOST_ACCOUNTS = 64;

/** How long a replica is taken for alive since it was heard of, in microseconds. */
const ALIVE_US = 15_000_000;

/** What is asked of the script; the kinds are its own. */
export interface StoreQuestion {
  readonly kind: 'enter' | 'reserve';
  /** Tokens, or nano-USD. */
  readonly amount: number;
  readonly accounts: readonly CallerAccount[];
  readonly askedAtMs: number;
  /** What is asked for besides; undefined once it is known not to be there. */
  ahead?: Ahead | undefined;
  /** Takes the answer; undefined once nobody waits for it. */
  answer: ((refusal: StoreRefusal | undefined) => void) | undefined;
}

/** What a queue puts its questions with. */
export interface QueueParts {
  /** Begins the keys of its accounts. */
  readonly keyPrefix: string;
  now(): number;
  /** Calls back when all that has come in this turn is read. */
  inTurn(run: () => void): void;
  /** Whether the store may be asked now. */
  mayAsk(): boolean;
  run(keys: string[], numbers: string): Promise<readonly number[]>;
  /** Takes how long an answer took, in milliseconds. */
  answered(ms: number): void;
  /** Takes what was thrown in place of an answer; returns whether the questions are put again once the store may be asked. */
  failed(error: unknown): boolean;
  /** Answers a question without the store. */
  withoutStore(question: StoreQuestion): void;
  /** Sees to it that what is left to tell is told before long. */
  sendLater(): void;
}

/** Puts all questions about accounts of one family together to the store, one lot at a time: the next one goes when the last is answered. */
export class FamilyQueue {
  readonly #parts: QueueParts;
  readonly #accounts = new Map<string, SharedAccount>();
  #waiting: StoreQuestion[] = [];
  #asked: StoreQuestion[] = [];
  readonly #dirty = new Set<SharedAccount>();
  #isPlanned = false;
  /** When the lot under way was sent. */
  sentAtMs: number | undefined;

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  /** Returns what this replica has under way on an account. */
  account(account: CallerAccount): SharedAccount {
    let known = this.#accounts.get(account.key);
    if (known === undefined) {
      known = new SharedAccount(this.#parts.keyPrefix + account.key);
      this.#accounts.set(account.key, known);
    }
    known.follow(account);
    return known;
  }

  /** As {@link account}, of several. */
  accounts(accounts: readonly CallerAccount[]): readonly SharedAccount[] {
    return accounts.map((account) => this.account(account));
  }

  /** Puts a question in this turn, or behind the lot that is under way. */
  ask(question: StoreQuestion): void {
    this.#waiting.push(question);
    this.sendSoon();
  }

  /** Notes that the store must be told of an account. */
  touch(account: SharedAccount): void {
    account.isDirty = true;
    this.#dirty.add(account);
  }

  /** Notes that the store must hear of what is under way. */
  touchAllUnderWay(): void {
    for (const account of this.#accounts.values()) if (account.isUnderWay) this.touch(account);
  }

  /** Sends in this turn what there is. */
  sendSoon(): void {
    if (this.#isPlanned || this.sentAtMs !== undefined || this.isSilent) return;
    this.#isPlanned = true;
    this.#parts.inTurn(() => {
      this.#isPlanned = false;
      this.#send();
    });
  }

  /** Whether there is nothing to send. */
  get isSilent(): boolean {
    return this.#waiting.length === 0 && this.#dirty.size === 0;
  }

  /** Whether nothing is under way, nor anything to be sent. */
  get isIdle(): boolean {
    return this.isSilent && this.sentAtMs === undefined && this.#accounts.size === 0;
  }

  /** How many accounts are remembered. */
  get size(): number {
    return this.#accounts.size;
  }

  /** Forgets accounts of which nothing is under way. */
  forgetIdle(): void {
    if (this.sentAtMs !== undefined || this.#waiting.length > 0) return;
    for (const [key, account] of this.#accounts) if (account.isIdle) this.#accounts.delete(key);
  }

  /** Returns the questions that were asked at a time or before it, and waits for their answers no longer. */
  giveUp(askedAtMs: number): readonly StoreQuestion[] {
    const late = [...this.#asked, ...this.#waiting].filter(
      (question) => question.answer !== undefined && question.askedAtMs <= askedAtMs,
    );
    this.#waiting = this.#waiting.filter((question) => !late.includes(question));
    return late;
  }

  /** When the oldest question that waits was asked; Infinity where none does. */
  get oldestAskedAtMs(): number {
    const open = [...this.#asked, ...this.#waiting].find((question) => question.answer !== undefined);
    return open?.askedAtMs ?? Infinity;
  }

  #send(): void {
    if (this.sentAtMs !== undefined || this.isSilent || !this.#parts.mayAsk()) return;
    const asked = this.#waiting.splice(0, MOST_QUESTIONS);
    const places = new Map<SharedAccount, number>();
    const place = (account: SharedAccount): number => {
      const known = places.get(account) ?? places.size + 1;
      places.set(account, known);
      return known;
    };
    // Most are of one caller.
    const named = new Map<readonly CallerAccount[], string>();
    const placesOf = (accounts: readonly CallerAccount[]): string => {
      const known = named.get(accounts) ?? [accounts.length, ...this.accounts(accounts).map(place)].join(' ');
      named.set(accounts, known);
      return known;
    };
    const questions = asked.map(({ kind, amount, accounts, ahead }) => {
      if (kind === 'reserve') return `2 ${amount} ${placesOf(accounts)}`;
      if (ahead === undefined) return `1 ${amount} ${placesOf(accounts)}`;
      return `3 ${amount} ${placesOf(accounts)} ${ahead.nanoUsd} ${placesOf(ahead.accounts)}`;
    });
    for (const account of this.#dirty) {
      if (places.size >= MOST_ACCOUNTS) break;
      place(account);
    }
    const accounts = [...places.keys()];
    for (const account of accounts) this.#clean(account);
    const told = accounts.map((account) => account.told());
    this.#asked = asked;
    this.sentAtMs = this.#parts.now();
    this.#parts
      .run(
        accounts.map(({ key }) => key),
        [ALIVE_US, ...told, ...questions].join(' '),
      )
      .then(
        (answer) => this.#answered(accounts, answer),
        (error: unknown) => this.#failed(accounts, error),
      );
  }

  #clean(account: SharedAccount): void {
    account.isDirty = false;
    this.#dirty.delete(account);
  }

  #answered(accounts: readonly SharedAccount[], answer: readonly number[]): void {
    this.#parts.answered(this.#parts.now() - (this.sentAtMs ?? 0));
    const asked = this.#take();
    const at = (index: number): number => answer[index] ?? 0;
    accounts.forEach((account, index) => {
      const [day, month] = [4 * index, 4 * index + 2];
      account.answered({
        day: { endDay: at(day), nanoUsd: at(day + 1) },
        month: { endDay: at(month), nanoUsd: at(month + 1) },
      });
      if (account.isDirty) this.#dirty.add(account);
    });
    const refused = new Map<number, StoreRefusal>();
    for (let index = 4 * accounts.length; index < answer.length; index += 5) {
      const question = asked[at(index) - 1];
      if (question === undefined) continue;
      if (at(index + 1) === NOTHING_AHEAD) question.ahead = undefined;
      else refused.set(at(index) - 1, refusalOf(question, answer.slice(index + 1, index + 5)));
    }
    asked.forEach((question, index) => {
      const refusal = refused.get(index);
      if (refusal === undefined) this.#granted(question);
      question.answer?.(refusal);
      question.answer = undefined;
    });
    if (this.#waiting.length > 0) this.sendSoon();
    else if (this.#dirty.size > 0) this.#parts.sendLater();
  }

  /** What nobody waits for any more is not under way: that is told next, and corrects what the store believes. */
  #granted({ kind, amount, accounts, ahead, answer }: StoreQuestion): void {
    for (const named of accounts) {
      const account = this.account(named);
      if (answer === undefined) {
        if (kind === 'enter') account.book(0, -amount);
        this.touch(account);
      } else if (kind === 'enter') account.calls += 1;
      else account.held += amount;
    }
    if (ahead === undefined) return;
    ahead.isGranted = answer !== undefined;
    for (const named of ahead.accounts) {
      const account = this.account(named);
      if (answer === undefined) this.touch(account);
      else account.held += Number(ahead.nanoUsd);
    }
  }

  #failed(accounts: readonly SharedAccount[], error: unknown): void {
    const asked = this.#take();
    for (const account of accounts) this.touch(account);
    const open = asked.filter(({ answer }) => answer !== undefined);
    if (this.#parts.failed(error)) this.#waiting.unshift(...open);
    else for (const question of open) this.#parts.withoutStore(question);
    this.#parts.sendLater();
  }

  #take(): readonly StoreQuestion[] {
    const asked = this.#asked;
    this.#asked = [];
    this.sentAtMs = undefined;
    return asked;
  }
}
