import { Code, ConnectError } from '@connectrpc/connect';
import { ErrorInfoSchema } from '../gen/google/rpc/error_details_pb.js';
import type { StreamChatResponse } from '../gen/understudy/v1/llm_pb.js';

/** Starts the call; the signal aborts it. */
export type StartStream = (signal: AbortSignal) => AsyncIterable<StreamChatResponse>;

/**
 * Makes the events of one StreamChat call, to be read once. The call starts with the first read. Leaving early (`break`,
 * `return`, an exception in the loop) aborts it in the same turn, which Connect's own iterable does not do. A stream that ends
 * without `finished` throws ABORTED with reason STREAM_INTERRUPTED: a truncated answer never looks complete.
 */
export function answerStream(start: StartStream, signal?: AbortSignal): AsyncIterableIterator<StreamChatResponse> {
  return new AnswerStream(start, signal);
}

/** Makes the error of a stream that ended without `finished`; it looks as the gateway's own for a broken answer. */
export function unfinishedError(): ConnectError {
  const value = { reason: 'STREAM_INTERRUPTED', domain: 'understudy', metadata: { origin: 'client' } };
  return new ConnectError('the stream ended without "finished"', Code.Aborted, undefined, [
    { desc: ErrorInfoSchema, value },
  ]);
}

class AnswerStream implements AsyncIterableIterator<StreamChatResponse> {
  readonly #start: StartStream;
  readonly #controller = new AbortController();
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#controller.abort(this.#signal?.reason);
  #events: AsyncIterator<StreamChatResponse> | undefined;
  #isFinished = false;
  #hasEnded = false;

  constructor(start: StartStream, signal: AbortSignal | undefined) {
    this.#start = start;
    this.#signal = signal;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<StreamChatResponse>> {
    if (this.#hasEnded) return { done: true, value: undefined };
    try {
      this.#events ??= this.#open();
      const result = await this.#events.next();
      if (result.done === true) {
        this.#end();
        if (!this.#isFinished) throw unfinishedError();
      } else if (result.value.event.case === 'finished') {
        this.#isFinished = true;
      }
      return result;
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  // Not async: the call is aborted before this returns, even while a read is pending.
  return(): Promise<IteratorResult<StreamChatResponse>> {
    this.#leave();
    return Promise.resolve({ done: true, value: undefined });
  }

  throw(error: unknown): Promise<IteratorResult<StreamChatResponse>> {
    this.#leave();
    return Promise.reject(error);
  }

  #open(): AsyncIterator<StreamChatResponse> {
    if (this.#signal?.aborted === true) this.#onAbort();
    else this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
    return this.#start(this.#controller.signal)[Symbol.asyncIterator]();
  }

  #leave(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (this.#isFinished && this.#events !== undefined) void this.#awaitStatus(this.#events);
    else this.#abort();
  }

  /**
   * Lets a call end by itself after its last event. A reset here would count as a cancelled call at the gateway, and after
   * about a thousand of them Node takes the connection for an attack.
   */
  async #awaitStatus(events: AsyncIterator<StreamChatResponse>): Promise<void> {
    try {
      const result = await events.next();
      if (result.done !== true) this.#controller.abort();
    } catch {
      // The answer was complete, and nobody waits for more.
    } finally {
      this.#end();
    }
  }

  #abort(): void {
    this.#controller.abort(new ConnectError('the reader left the stream', Code.Canceled));
    this.#end();
  }

  #end(): void {
    this.#hasEnded = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }
}
