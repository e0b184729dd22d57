import { MAX_MESSAGE_BYTES } from '../port/limits.ts';
import type { RefusedTransfer, TransferFigures } from '../port/transfer-figures.ts';

/** Requests up to this size, in bytes, may use the whole budget; larger ones leave room for them. */
const SMALL_BYTES = 64 * 1024;

/** A budget for doors that are told none. */
export const LEAST_BUDGET_BYTES = 4 * MAX_MESSAGE_BYTES;

/** What larger requests may hold of the budget together, and those of one caller. */
const LARGE_SHARE = 3 / 4;
const CALLER_SHARE = 1 / 2;

/** What unread answers may hold beyond the budget, in bytes, before callers who hold nothing large are refused as well. */
const MOST_BEYOND_BYTES = 128 * 1024 * 1024;

/** What one call holds of the budget; given back once, when it has ended. */
export interface BytesHeld {
  /** Takes more for the request; false, and nothing is taken, where the budget has no room for it. */
  take(bytes: number): boolean;
  /** Gives back some of what was taken for the request. */
  giveBack(bytes: number): void;
  /** Gives back all that was taken for the request, which nobody keeps. */
  dropRequest(): void;
  /**
   * Counts bytes of the answer, negative where they were read. They are never refused, since they have been paid for; new
   * requests are, as long as they are not read, small ones of callers who hold nothing large last.
   */
  answer(bytes: number): void;
  /** Says how many bytes of the answer have not been read. */
  answerIs(bytes: number): void;
  /** Gives all back. What is said from then on counts no more, and nothing can be taken: some hear of the end later. */
  release(): void;
}

/**
 * Bounds the bytes that requests and unread answers take, over all doors: taken when a length is declared, given back when the
 * call has ended. Small requests find room also where large ones, or one caller, have taken all that they may.
 */
export class ByteBudget implements TransferFigures {
  readonly mostBytes: number;
  readonly refused: Record<RefusedTransfer, number> = {
    bytes_in_flight: 0,
    message_size: 0,
    message_shape: 0,
    receive_timeout: 0,
    send_timeout: 0,
    turn_wait: 0,
  };
  /** What the large requests of a caller hold, by its share key; of those who hold any. */
  readonly #large = new Map<string, number>();
  /** What their large unread answers hold, likewise. */
  readonly #largeAnswers = new Map<string, number>();
  #requestBytes = 0;
  #answerBytes = 0;

  /** @param mostBytes of requests and answers together; at least four of the largest messages should fit */
  constructor(mostBytes: number) {
    this.mostBytes = mostBytes;
  }

  get requestBytes(): number {
    return this.#requestBytes;
  }

  get answerBytes(): number {
    return this.#answerBytes;
  }

  /** Whether large requests find no more room: what does not move then is not waited for. */
  get isTight(): boolean {
    return this.#requestBytes + this.#answerBytes > this.mostBytes * LARGE_SHARE;
  }

  /** Opens the account of a call; `shareKey` is whom it is counted for, as admission counts it. */
  open(shareKey: string): BytesHeld {
    return new HeldByCall(this, shareKey);
  }

  /** Whether so many bytes more have room, of which `large` count as those of large requests. */
  fits(bytes: number, large: number, shareKey: string): boolean {
    const held = this.#requestBytes + this.#answerBytes + bytes;
    if (large === 0) return held <= this.mostBytes || this.#fitsBeyond(bytes, shareKey);
    const ofCaller = (this.#large.get(shareKey) ?? 0) + large;
    return held <= this.mostBytes * LARGE_SHARE && ofCaller <= this.mostBytes * CALLER_SHARE;
  }

  /** Whoever holds nothing large is not to pay for those who do not read their answers. */
  #fitsBeyond(bytes: number, shareKey: string): boolean {
    const mostBeyond = Math.min(this.mostBytes, MOST_BEYOND_BYTES);
    const isLight = !this.#large.has(shareKey) && !this.#largeAnswers.has(shareKey);
    const requests = this.#requestBytes + bytes;
    return isLight && requests <= this.mostBytes && requests + this.#answerBytes <= this.mostBytes + mostBeyond;
  }

  /** Adds to what the large requests of a caller hold; negative to give back. */
  addLarge(bytes: number, shareKey: string): void {
    addTo(this.#large, shareKey, bytes);
  }

  /** Adds to what the large unread answers of a caller hold; negative where they were read. */
  addLargeAnswer(bytes: number, shareKey: string): void {
    addTo(this.#largeAnswers, shareKey, bytes);
  }

  /** Adds to what is held; negative to give back. */
  add(requestBytes: number, answerBytes: number): void {
    this.#requestBytes += requestBytes;
    this.#answerBytes += answerBytes;
  }
}

/** Keeps only those who hold any. */
function addTo(holders: Map<string, number>, key: string, bytes: number): void {
  const held = (holders.get(key) ?? 0) + bytes;
  if (held === 0) holders.delete(key);
  else holders.set(key, held);
}

class HeldByCall implements BytesHeld {
  readonly #budget: ByteBudget;
  readonly #shareKey: string;
  #request = 0;
  #large = 0;
  #answer = 0;
  #largeAnswer = 0;
  #isReleased = false;

  constructor(budget: ByteBudget, shareKey: string) {
    this.#budget = budget;
    this.#shareKey = shareKey;
  }

  take(bytes: number): boolean {
    if (this.#isReleased) return false;
    // One that says no length is large as soon as so much of it has come.
    const total = this.#request + bytes;
    const large = total > SMALL_BYTES ? total - this.#large : 0;
    if (!this.#budget.fits(bytes, large, this.#shareKey)) return false;
    this.#request = total;
    this.#budget.add(bytes, 0);
    this.#addLarge(large);
    return true;
  }

  giveBack(bytes: number): void {
    if (this.#isReleased) return;
    this.#request -= bytes;
    this.#budget.add(-bytes, 0);
    if (this.#large > 0) this.#addLarge(-Math.min(bytes, this.#large));
  }

  dropRequest(): void {
    this.giveBack(this.#request);
  }

  answer(bytes: number): void {
    if (this.#isReleased) return;
    this.#answer += bytes;
    this.#budget.add(0, bytes);
    const large = this.#answer > SMALL_BYTES ? this.#answer : 0;
    if (large === this.#largeAnswer) return;
    this.#budget.addLargeAnswer(large - this.#largeAnswer, this.#shareKey);
    this.#largeAnswer = large;
  }

  answerIs(bytes: number): void {
    this.answer(bytes - this.#answer);
  }

  release(): void {
    this.dropRequest();
    this.answerIs(0);
    this.#isReleased = true;
  }

  #addLarge(bytes: number): void {
    this.#large += bytes;
    this.#budget.addLarge(bytes, this.#shareKey);
  }
}

/**
 * Chooses a budget that fits the machine: an eighth of the memory and a third of the heap, at least four of the largest messages
 * and at most 256 MiB.
 *
 * @param memoryBytes what the process may use, as its container or the machine says
 * @param heapBytes the limit of V8's heap
 */
export function defaultBytesInFlight(memoryBytes: number, heapBytes: number, maxMessageBytes: number): number {
  const fitting = Math.min(256 * 1024 * 1024, memoryBytes / 8, heapBytes / 3);
  return Math.floor(Math.max(4 * maxMessageBytes, fitting));
}
