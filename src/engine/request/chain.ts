import type { Failure } from '../../core/failure.ts';
import { CLASS_RULES } from '../../core/failure.ts';
import type { AttemptTiming } from '../port/attempt-timing.ts';
import type { Call, ChainEntry, Prepared, TokenEstimate } from '../port/call.ts';
import { internalFault } from '../port/failures.ts';
import type { Allowance } from './allowance.ts';
import { needMs } from './time/slices.ts';
import type { Unavailable } from '../target/availability.ts';
import { comesBack } from '../target/availability.ts';
import type { CircuitBreaker } from '../target/circuit-breaker.ts';
import type { TargetState } from '../target/state.ts';

const NO_ENTRIES: ReadonlySet<ChainEntry> = new Set();
const NO_FAILURES: ReadonlyMap<ChainEntry, Failure> = new Map();

/** The chain of one request and how far it has been gone through. */
export class Chain<Output, Final> {
  readonly #call: Call<Output, Final>;
  readonly #stateOf: (entry: ChainEntry) => TargetState;
  readonly #prepared = new Map<ChainEntry, Prepared<Output, Final> | Failure>();
  /** The timers of the last entry that was prepared: calls to the others are thought to be like it. */
  #timing: AttemptTiming | undefined;
  /** Most requests never need these. */
  #failures: ReadonlyMap<ChainEntry, Failure> = NO_FAILURES;
  #late: ReadonlySet<ChainEntry> = NO_ENTRIES;
  #behindHead: ReadonlySet<ChainEntry> = NO_ENTRIES;
  /** Circuits at which failures of this request have counted, with the generation. */
  #counted: Map<object, number> | undefined;

  constructor(call: Call<Output, Final>, stateOf: (entry: ChainEntry) => TargetState) {
    this.#call = call;
    this.#stateOf = stateOf;
  }

  /** Returns the last failure of an entry; undefined where it was not tried. */
  failureOf(entry: ChainEntry): Failure | undefined {
    return this.#failures.get(entry);
  }

  /** Notes that an entry was tried and failed. */
  failed(entry: ChainEntry, failure: Failure): void {
    this.#failures = new Map(this.#failures).set(entry, failure);
  }

  /** Notes that an entry's answer in JSON broke off behind its head: it is asked again last (engine rule R3). */
  brokeBehindHead(entry: ChainEntry): void {
    this.#behindHead = new Set(this.#behindHead).add(entry);
  }

  /**
   * Returns whether a failure of an entry counts at its closed circuit, in a generation: the first of the request does, a further
   * one only where another target can do the work (engine rule K1). To be asked once for each.
   */
  countsAt(entry: ChainEntry): (circuit: object, generation: number) => boolean {
    return (circuit, generation) => {
      this.#counted ??= new Map();
      const isFirst = this.#counted.get(circuit) !== generation;
      this.#counted.set(circuit, generation);
      return isFirst || this.hasSoundOther(entry);
    };
  }

  /** Notes that what is left of the request's time is too short for an entry. */
  lacksTime(entry: ChainEntry): void {
    this.#late = new Set(this.#late).add(entry);
  }

  /** Whether a fault of our own has happened on any entry (class C21). */
  get hasInternalFault(): boolean {
    return [...this.#failures.values()].some((failure) => failure.class === 'internal');
  }

  /** Returns how an entry is asked, or why it cannot be; the call is translated when first needed, and again behind {@link rewrite}. */
  prepare(entry: ChainEntry): Prepared<Output, Final> | Failure {
    const made = this.#incapable(entry) ?? this.#prepared.get(entry) ?? translated(() => this.#call.prepare(entry));
    this.#prepared.set(entry, made);
    if ('open' in made) this.#timing = made.timing;
    return made;
  }

  /** Forgets how an entry was asked and failed: it is asked in another form (class C13). */
  rewrite(entry: ChainEntry): void {
    this.#prepared.delete(entry);
    const others = [...this.#failures].filter(([other]) => other !== entry);
    this.#failures = new Map(others);
  }

  /** Returns why no call may go to an entry now; how large the call is counts once it is translated. */
  unavailable(entry: ChainEntry): Unavailable | undefined {
    return this.#stateOf(entry).unavailable(entry, this.#tokensOf(entry));
  }

  /** Returns the circuit of an entry that alone keeps calls away from it (engine rule K9); undefined where none does. */
  refusingAlone(entry: ChainEntry): CircuitBreaker | undefined {
    return this.#stateOf(entry).refusingAlone(entry, this.#tokensOf(entry));
  }

  /**
   * Returns the entries that may still be visited, now or later, in the order of their turns: that of the chain, but first
   * those that had no turn yet, so that none is visited twice before every other was once. One whose answer in JSON broke off behind
   * its head is among them only where no other can be asked, now or behind a wait (engine rule R3).
   */
  candidates(allowance: Pick<Allowance, 'mayRepeat'>): readonly ChainEntry[] {
    if (this.#prepared.size === 0 && this.#failures.size === 0 && this.#late.size === 0) return this.#call.chain;
    const all = this.#call.chain.filter((entry) => this.#isCandidate(entry));
    if (this.#failures.size === 0) return all;
    const others = all.filter((entry) => !this.#behindHead.has(entry));
    const mayTakeOver = others.length < all.length && others.some((entry) => this.#mayTakeOver(entry, allowance));
    const candidates = mayTakeOver ? others : all;
    const untried = candidates.filter((entry) => !this.#failures.has(entry));
    return untried.length === 0 ? candidates : [...untried, ...candidates.filter((entry) => this.#failures.has(entry))];
  }

  /** Whether an entry could be asked now. */
  couldServe(entry: ChainEntry): boolean {
    return this.#isCandidate(entry) && this.unavailable(entry) === undefined;
  }

  /** Whether any entry but this one could be asked now. */
  hasOtherThan(entry: ChainEntry): boolean {
    return this.#call.chain.some((other) => other !== entry && this.couldServe(other));
  }

  /** Returns the first of some entries that are wanted and could be asked now, at most so many: chains may be long. */
  first(most: number, entries: readonly ChainEntry[], isWanted: (entry: ChainEntry) => boolean): readonly ChainEntry[] {
    const found: ChainEntry[] = [];
    for (const entry of entries) {
      if (!isWanted(entry) || !this.couldServe(entry)) continue;
      found.push(entry);
      if (found.length === most) break;
    }
    return found;
  }

  /** Whether another entry has failed the request last time, for which its provider is to blame (engine rule R3). */
  hasFailedElsewhere(entry: ChainEntry): boolean {
    return [...this.#failures].some(
      ([other, failure]) => other !== entry && CLASS_RULES[failure.class].verdict === 'failure',
    );
  }

  /** Whether another target than that of this entry is sound: it could be asked now, and is not suspect (engine rule R3). */
  hasSoundOther(entry: ChainEntry): boolean {
    return this.#call.chain.some(
      (other) => other.target !== entry.target && this.couldServe(other) && !this.#stateOf(other).isSuspect(other),
    );
  }

  /**
   * Returns the time, in milliseconds, to keep back for an entry (engine rule B1), as far as it is known of calls that are like the
   * last one that was prepared.
   */
  needMs(entry: ChainEntry): number {
    const timing = this.#timing;
    const times = this.#stateOf(entry).circuits.peek(entry)?.times;
    return needMs(timing && times?.p95Ms(timing));
  }

  /** Returns after how many milliseconds the first entry can be asked; undefined where one can now, or none ever. */
  availableInMs(): number | undefined {
    const leastMs = Math.min(
      ...this.#call.chain
        .filter((entry) => !this.#isRefused(entry))
        .map((entry) => this.unavailable(entry)?.forMs ?? 0),
    );
    return Number.isFinite(leastMs) && leastMs > 0 ? leastMs : undefined;
  }

  #mayTakeOver(entry: ChainEntry, allowance: Pick<Allowance, 'mayRepeat'>): boolean {
    return comesBack(this.unavailable(entry)) && (!this.#failures.has(entry) || allowance.mayRepeat(entry));
  }

  /** An entry may still be visited if it can be asked, and did not fail in a way that a later round cannot cure. */
  #isCandidate(entry: ChainEntry): boolean {
    if (this.#isRefused(entry) || this.#late.has(entry)) return false;
    const failure = this.#failures.get(entry);
    return (
      failure === undefined || (CLASS_RULES[failure.class].laterRounds !== false && failure.repeatIsUseless !== true)
    );
  }

  #tokensOf(entry: ChainEntry): TokenEstimate | undefined {
    const prepared = this.#prepared.get(entry);
    return prepared && 'open' in prepared ? prepared.tokens : undefined;
  }

  /** Whether it is known that the call cannot be translated for an entry. */
  #isRefused(entry: ChainEntry): boolean {
    const prepared = this.#prepared.get(entry);
    return prepared !== undefined && !('open' in prepared);
  }

  /** Other servers than the provider's own run one model with other windows, formats and limits each. */
  #isSameModel(one: ChainEntry, other: ChainEntry): boolean {
    if (one.model !== other.model) return false;
    return this.#stateOf(one).target.ownHost && this.#stateOf(other).target.ownHost;
  }

  /** What could not be done for a model is not asked of it again, nor of a smaller one (class C13). */
  #incapable(entry: ChainEntry): Failure | undefined {
    for (const [tried, failure] of this.#failures) {
      // How a server wants to be written to says nothing of its model.
      if (failure.class !== 'capability' || failure.quirk !== undefined) continue;
      const isNoLarger =
        failure.reason === 'CONTEXT_LENGTH_EXCEEDED' &&
        (entry.contextWindow ?? Infinity) <= (tried.contextWindow ?? -Infinity);
      if (this.#isSameModel(tried, entry) || isNoLarger) {
        const { reason, message, field } = failure;
        return { class: 'capability', reason, message, field, neverSent: true };
      }
    }
    return undefined;
  }
}

/** Translates a call; where that throws, it is a fault of ours and nothing was sent (class C21). */
export function translated<Output, Final>(
  translate: () => Prepared<Output, Final> | Failure,
): Prepared<Output, Final> | Failure {
  try {
    return translate();
  } catch (error) {
    return { ...internalFault(error), neverSent: true };
  }
}
