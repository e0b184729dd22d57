import type { EventLoop } from '../../core/cohort.ts';
import type { System } from '../../core/ports.ts';

/** The event loop and its clocks. */
type Loop = EventLoop & Pick<System, 'now' | 'busyMs'>;

/** A call whose request has come. */
export interface ArrivedCall {
  /** Whom it is counted for. */
  readonly callerKey: string;
  /** Begins it. Returns false where it has ended meanwhile and takes nothing of the turn. */
  begin(): boolean;
  /** Refuses it, since its turn did not come in time. */
  refuseAsLate(): void;
}

/** Calls of one caller that wait, in the order in which they came. */
type Line = { readonly call: ArrivedCall; readonly cost: number; readonly sinceMs: number }[];

/** Lines by caller; the one whose turn is next first. */
type Lines = Map<string, Line>;

/** Most calls that begin in one turn of the event loop: two cohorts. */
const MOST_BEGUN = 32;
/** Above so many milliseconds a turn of the event loop is long, and fewer calls begin in the next. */
const LONG_TURN_MS = 5;
/** Below so many it is short, and more may. */
const SHORT_TURN_MS = 3;
/** So few calls in one turn do not show what the loop can do. */
const FEW = 4;
/** What a call takes of a turn: one, and one more for each so many bytes of its request (64 KiB). */
const BYTES_OF_ONE = 64 * 1024;
/** Callers who may begin a short call each beyond what a turn allows, where none of theirs waits. */
const MOST_FIRSTS = 16;
/** Longest wait for a turn, in milliseconds. */
const LONGEST_WAIT_MS = 5_000;
/** Most calls that are refused as late in one turn. */
const MOST_REFUSED = 64;

/**
 * Lets calls begin in fair turns. Where more arrive together than one turn of the event loop can do in a few milliseconds, they wait
 * in a line for each caller, and the callers take turns; who has had no call in line goes before the long lines of others (flow
 * queueing with new flows first: FQ-CoDel, RFC 8290). How many begin in a turn follows from how long their requests are, and how
 * long turns take, so that what has begun goes on swiftly whatever one call costs. Calls that arrive one by one begin at once.
 */
export class FairTurns {
  readonly #loop: Loop;
  /** Lines of which nobody has been taken yet, and the others. */
  readonly #newLines: Lines = new Map();
  readonly #oldLines: Lines = new Map();
  /** Who began a call in this turn beyond what it allows. */
  readonly #firsts = new Set<string>();
  /** How many may begin in a turn. */
  #allowance = MOST_BEGUN;
  #begun = 0;
  #isOldNext = false;
  /** When the turn began that is measured, by both clocks. */
  #turnBegan: { readonly atMs: number; readonly busyMs: number } | undefined;
  #isAwaitingTurn = false;

  constructor(loop: Loop) {
    this.#loop = loop;
  }

  /**
   * Begins a call, now or in its turn.
   *
   * @param requestBytes how long its request is
   */
  add(call: ArrivedCall, requestBytes: number): void {
    const cost = 1 + Math.floor(requestBytes / BYTES_OF_ONE);
    if (!this.#isAwaitingTurn) this.#awaitTurn();
    if (this.#begun < this.#allowance && !this.#hasLines) {
      this.#begun += cost;
      call.begin();
    } else {
      this.#addToLine(call, cost);
    }
  }

  get #hasLines(): boolean {
    return this.#oldLines.size > 0 || this.#newLines.size > 0;
  }

  #addToLine(call: ArrivedCall, cost: number): void {
    const key = call.callerKey;
    const line = this.#oldLines.get(key) ?? this.#newLines.get(key);
    if (line === undefined && cost === 1 && this.#firsts.size < MOST_FIRSTS && !this.#firsts.has(key)) {
      this.#firsts.add(key);
      call.begin();
      return;
    }
    const waiting = { call, cost, sinceMs: this.#loop.now() };
    if (line === undefined) this.#newLines.set(key, [waiting]);
    else line.push(waiting);
  }

  #awaitTurn(): void {
    this.#isAwaitingTurn = true;
    this.#loop.afterInput(() => this.#turn());
  }

  /** The input of a turn is read; what begins now goes on in the next. */
  #turn(): void {
    this.#isAwaitingTurn = false;
    const isQuiet = this.#begun <= FEW && !this.#hasLines && this.#allowance === MOST_BEGUN;
    this.#begun = 0;
    this.#firsts.clear();
    if (isQuiet) {
      this.#turnBegan = undefined;
      return;
    }
    const nowMs = this.#loop.now();
    const busyMs = this.#loop.busyMs();
    const began = this.#turnBegan;
    // Where others use the machine, a turn lasts for longer than its work takes.
    if (began !== undefined) this.#adapt(Math.min(nowMs - began.atMs, busyMs - began.busyMs));
    this.#turnBegan = { atMs: nowMs, busyMs };
    // The loop does not sleep before the next one, so that the time between the two is what they took.
    this.#awaitTurn();
    this.#refuseLate(this.#newLines, nowMs);
    this.#refuseLate(this.#oldLines, nowMs);
    while (this.#begun < this.#allowance && this.#hasLines) this.#begun += this.#beginNext();
  }

  #adapt(turnMs: number): void {
    if (turnMs > LONG_TURN_MS) this.#allowance = Math.max(1, Math.floor((this.#allowance * LONG_TURN_MS) / turnMs));
    else if (turnMs < SHORT_TURN_MS) this.#allowance = Math.min(MOST_BEGUN, this.#allowance + 1);
  }

  /**
   * Begins the first call of a new line and of an old one by turns that has not ended; the rest of its line comes after those of all others.
   * Returns what it takes.
   */
  #beginNext(): number {
    this.#isOldNext = this.#newLines.size === 0 || (this.#oldLines.size > 0 && !this.#isOldNext);
    const lines = this.#isOldNext ? this.#oldLines : this.#newLines;
    for (const [key, line] of lines) {
      const cost = beginFirst(line);
      lines.delete(key);
      if (line.length > 0) this.#oldLines.set(key, line);
      return cost;
    }
    return 0;
  }

  #refuseLate(lines: Lines, nowMs: number): void {
    let left = MOST_REFUSED;
    for (const [key, line] of lines) {
      while (left > 0 && nowMs - (line[0]?.sinceMs ?? nowMs) > LONGEST_WAIT_MS) {
        left -= 1;
        line.shift()?.call.refuseAsLate();
      }
      if (line.length === 0) lines.delete(key);
    }
  }
}

/** Those that have ended take no turn from those of their own caller either. */
function beginFirst(line: Line): number {
  for (let next = line.shift(); next !== undefined; next = line.shift()) if (next.call.begin()) return next.cost;
  return 0;
}
