/// <reference lib="esnext.disposable" preserve="true" />

import { Code, ConnectError } from '@connectrpc/connect';
import type { CallScope } from './call-scope.ts';
import { asUnavailable } from './not-sent.ts';

/** What a stream needs to know of its call. */
export interface StreamedCall<Event> {
  /** Begins the call: the time that it has runs from here. Called once, by the first read. */
  begin(): CallScope;
  /** Sends the request and reads the first event, with repeats; gives the reader of the others. */
  open(scope: CallScope): Promise<OpenedStream<Event>>;
  /** Whether the server ends the call by itself behind this event. */
  isLast(event: Event): boolean;
  /** The error of a call that ends without such an event; undefined where it may. */
  unfinished(): ConnectError | undefined;
}

/** A stream whose first event has come. */
export interface OpenedStream<Event> {
  readonly first: IteratorResult<Event>;
  readonly rest: AsyncIterator<Event>;
}

/** Ends the calls of streams that nobody reads to the end, leaves, or holds any more. */
const FORGOTTEN = new FinalizationRegistry<CallScope>((scope) => {
  scope.abort(new ConnectError('nobody reads the stream', Code.Canceled));
  scope.end();
});

/**
 * The events of one call, to be read once. The call starts with the first read. Leaving early (`break`, `return`, an exception
 * in the loop) aborts it in the same turn, even while a read is pending, for which Connect's own iterable waits; the timer of its
 * deadline goes with it.
 */
export class CallStream<Event> implements AsyncIterableIterator<Event> {
  readonly #call: StreamedCall<Event>;
  #scope: CallScope | undefined;
  #rest: AsyncIterator<Event> | undefined;
  #lastRead: Promise<unknown> = Promise.resolve();
  #isFinished = false;
  #hasEnded = false;

  constructor(call: StreamedCall<Event>) {
    this.#call = call;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Reads the next event. Reads that are made at once take turns. */
  next(): Promise<IteratorResult<Event>> {
    const read = this.#lastRead.then(() => this.#read());
    this.#lastRead = read.catch(() => {});
    return read;
  }

  // Not async: the call is aborted before this returns, even while a read is pending.
  return(): Promise<IteratorResult<Event>> {
    this.#leave();
    return Promise.resolve({ done: true, value: undefined });
  }

  throw(error: unknown): Promise<IteratorResult<Event>> {
    this.#leave();
    return Promise.reject(error);
  }

  /** Leaves the stream, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#leave();
    return Promise.resolve();
  }

  async #read(): Promise<IteratorResult<Event>> {
    if (this.#hasEnded) return { done: true, value: undefined };
    const scope = this.#scope ?? this.#begin();
    try {
      const result = this.#rest === undefined ? await this.#open(scope) : await this.#rest.next();
      if (result.done === true) {
        this.#end();
        const error = this.#isFinished ? undefined : this.#call.unfinished();
        if (error !== undefined) throw error;
      } else if (this.#call.isLast(result.value)) {
        this.#isFinished = true;
      }
      return result;
    } catch (error) {
      this.#end();
      throw scope.errorOf(asUnavailable(ConnectError.from(error)));
    }
  }

  #begin(): CallScope {
    const scope = this.#call.begin();
    this.#scope = scope;
    FORGOTTEN.register(this, scope, this);
    return scope;
  }

  async #open(scope: CallScope): Promise<IteratorResult<Event>> {
    const { first, rest } = await this.#call.open(scope);
    this.#rest = rest;
    return first;
  }

  #leave(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (this.#scope === undefined) return;
    if (this.#isFinished && this.#rest !== undefined) {
      void this.#awaitStatus(this.#rest, this.#scope);
      return;
    }
    this.#scope.abort(new ConnectError('the reader left the stream', Code.Canceled));
    this.#end();
  }

  /**
   * Lets a call end by itself after its last event. A reset here would count as a cancelled call at the gateway, and after
   * about a thousand of them Node takes the connection for an attack.
   */
  async #awaitStatus(rest: AsyncIterator<Event>, scope: CallScope): Promise<void> {
    try {
      const result = await rest.next();
      if (result.done !== true) scope.abort(new ConnectError('there is an event behind the last', Code.Canceled));
    } catch {
      // The answer was complete, and nobody waits for more.
    } finally {
      this.#end();
    }
  }

  #end(): void {
    this.#hasEnded = true;
    this.#scope?.end();
    FORGOTTEN.unregister(this);
  }
}
