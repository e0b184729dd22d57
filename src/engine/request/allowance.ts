import type { FailureClass } from '../../core/failure.ts';
import { CLASS_RULES } from '../../core/failure.ts';
import type { ChainEntry } from '../port/call.ts';
import type { RetryConfig } from '../port/config.ts';
import type { Drain } from './drain.ts';
import type { RetryBudget } from '../target/retry-budget.ts';

/** The budgets of one target (engine rules R1 and R2). */
export interface TargetBudgets {
  readonly repeats: RetryBudget;
  readonly restarts: RetryBudget;
}

/**
 * Whether a failed attempt may be paid without an answer, so that it is repeated once, or not at all where too little time is left
 * (engine rule R3).
 */
export type MayBePaid = 'no' | 'once' | 'no_time';

const NO_ENTRIES: ReadonlySet<ChainEntry> = new Set();

/**
 * What one request may still repeat: `maxRepeats` of its own (engine rule B3), one of them behind what hardly ever heals (class
 * C15) or may be paid (R3), and what the budgets of the targets hold (R1, R2); nothing once the engine goes down (D2). The order
 * EXHAUST_FIRST knows neither `maxRepeats` nor budgets.
 */
export class Allowance {
  readonly #config: RetryConfig;
  readonly #budgetsOf: (entry: ChainEntry) => TargetBudgets;
  readonly #drain: Pick<Drain, 'hasBegun'>;
  /** Names of targets; few. */
  readonly #visited: string[] = [];
  #repeats = 0;
  #isRestartDue = false;
  /** Where the stream broke off last of which the answer under way takes the place, and whose budget has paid for that. */
  #restartedFrom: ChainEntry | undefined;
  /** Entries whose last failure is one that a request repeats once; hardly ever any. */
  #spoiled: ReadonlySet<ChainEntry> = NO_ENTRIES;
  #hasRepeatedSpoiled = false;
  /** Entries for whose answer in JSON there is less time than it took until it broke off. */
  #lost: ReadonlySet<ChainEntry> = NO_ENTRIES;

  constructor(config: RetryConfig, budgetsOf: (entry: ChainEntry) => TargetBudgets, drain: Pick<Drain, 'hasBegun'>) {
    this.#drain = drain;
    this.#config = config;
    this.#budgetsOf = budgetsOf;
  }

  /** Repeats that the request has made (engine rule B3). */
  get repeats(): number {
    return this.#repeats;
  }

  /** Whether the request itself may repeat anything more. */
  get hasRepeats(): boolean {
    return this.#hasMoreThan(0);
  }

  /** Whether an entry that was tried may be tried again now. */
  mayRepeat(entry: ChainEntry): boolean {
    return this.hasRepeats && this.isWorthRepeating(entry) && this.#hasBudget(entry);
  }

  /**
   * Whether an entry that was tried may still be tried again once the next attempt, on another entry, has been made.
   * @param isRepeat whether that attempt is a repeat itself
   */
  mayRepeatLater(entry: ChainEntry, isRepeat: boolean): boolean {
    const isLeft = this.#hasMoreThan(isRepeat || this.#isRestartDue ? 1 : 0);
    return isLeft && this.isWorthRepeating(entry) && this.#hasBudget(entry);
  }

  /**
   * False where an entry failed by what hardly ever heals (class C15), or by an answer in JSON that broke off behind its head (R3),
   * and the request has repeated such a failure before or has less time left than that has taken.
   */
  isWorthRepeating(entry: ChainEntry): boolean {
    return !this.#lost.has(entry) && (!this.#hasRepeatedSpoiled || !this.#spoiled.has(entry));
  }

  /** Notes how the last attempt on an entry has failed, before what that means to the caller. */
  failed(entry: ChainEntry, failureClass: FailureClass, mayBePaid: MayBePaid): void {
    if (mayBePaid === 'no_time') this.#lost = new Set(this.#lost).add(entry);
    if (mayBePaid === 'once' || CLASS_RULES[failureClass].laterRounds === 'once')
      this.#spoiled = new Set(this.#spoiled).add(entry);
  }

  /** Whether a stream that broke off on an entry may begin anew now. */
  mayRestart(entry: ChainEntry): boolean {
    return this.hasRepeats && (this.#hasNoBudgets || !this.#budgetsOf(entry).restarts.isEmpty);
  }

  /** Notes that a stream that broke off on an entry begins anew; the attempt that does it is a repeat. */
  restart(entry: ChainEntry): void {
    this.#isRestartDue = true;
    if (this.#hasNoBudgets) return;
    this.#budgetsOf(entry).restarts.take();
    this.#restartedFrom = entry;
  }

  /** Notes a complete answer: a restart that has ended well at another target is given back to its budget (engine rule R2). */
  endedWell(entry: ChainEntry): void {
    const from = this.#restartedFrom;
    if (from !== undefined && from.target !== entry.target) this.#budgetsOf(from).restarts.giveBack();
  }

  /**
   * Notes an attempt, in the turn in which it starts. Returns whether it is the restart that was due.
   * @param isRepeat whether its entry was tried before; replacements of stale sockets are none (class C3)
   */
  attempt(entry: ChainEntry, isRepeat: boolean): boolean {
    const isRestart = this.#isRestartDue;
    this.#isRestartDue = false;
    if (isRepeat || isRestart) this.#repeats++;
    if (this.#spoiled.has(entry)) {
      this.#hasRepeatedSpoiled = true;
      this.#spoiled = new Set([...this.#spoiled].filter((other) => other !== entry));
    }
    const { repeats, restarts } = this.#budgetsOf(entry);
    if (isRepeat && !this.#hasNoBudgets) repeats.take();
    if (this.#visited.includes(entry.target)) return isRestart;
    this.#visited.push(entry.target);
    repeats.visited();
    restarts.visited();
    return isRestart;
  }

  #hasMoreThan(repeats: number): boolean {
    return !this.#drain.hasBegun && (this.#hasNoBudgets || this.#repeats + repeats < this.#config.maxRepeats);
  }

  #hasBudget(entry: ChainEntry): boolean {
    return this.#hasNoBudgets || !this.#budgetsOf(entry).repeats.isEmpty;
  }

  get #hasNoBudgets(): boolean {
    return this.#config.order === 'EXHAUST_FIRST';
  }
}
