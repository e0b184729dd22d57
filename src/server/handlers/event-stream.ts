import type { ConnectError } from '@connectrpc/connect';
import type { StreamChatResponse } from '../../../gen/understudy/v1/llm_pb.ts';
import { finishedEvent } from '../answers/assembled-answer.ts';
import { AnswerQueue } from '../answers/delta-queue.ts';
import { StreamEvents } from '../answers/stream-events.ts';
import type { AnsweredRpc } from './run-request.ts';

/** What the events of one stream come from. */
export interface EventSource {
  readonly requestId: string;
  /** Aborts when the caller cancels or is gone; after a good end it may, too. */
  readonly signal: AbortSignal;
  /** Begins the request, whose answer goes to `client`, and returns its end. */
  readonly run: (client: AnswerQueue, signal: AbortSignal) => Promise<AnsweredRpc>;
  /** Makes the error that ends the stream of whatever was thrown. */
  readonly errorOf: (thrown: unknown) => ConnectError;
}

/** Why the request ends of a reader who has left. Made once: an `abort` without a reason makes an error with a stack, each time. */
const READER_LEFT = new Error('The reader has left.');

/**
 * The events of one streamed answer, for one reader: one by one as of any iterator, and besides without waiting those that are there
 * already. The request begins with the first `next`. It has a signal of its own, which aborts in the turn in which the caller's does or the
 * reader leaves.
 */
export class EventStream implements AsyncIterableIterator<StreamChatResponse> {
  readonly #source: EventSource;
  readonly #queue = new AnswerQueue();
  readonly #events: StreamEvents;
  readonly #abort = new AbortController();
  readonly #onAbort = (): void => this.#abort.abort(this.#source.signal.reason);
  #answered: Promise<AnsweredRpc> | undefined;
  #isAnswered = false;
  #isOver = false;

  constructor(source: EventSource) {
    this.#source = source;
    this.#events = new StreamEvents(source.requestId);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Returns the next event that is there already; undefined for none, and before the first `next`. */
  take(): StreamChatResponse | undefined {
    const item = this.#queue.take();
    return item === undefined ? undefined : this.#events.of(item);
  }

  /** Waits for the next event. Rejects with a ConnectError where the answer breaks off. */
  async next(): Promise<IteratorResult<StreamChatResponse, undefined>> {
    if (this.#isOver) return { done: true, value: undefined };
    try {
      this.#answered ??= this.#begin();
      const item = await this.#queue.next();
      if (item !== undefined) return { done: false, value: this.#events.of(item) };
      const { result, answer } = await this.#answered;
      this.#end();
      return { done: false, value: this.#events.finished(finishedEvent(result, answer)) };
    } catch (thrown) {
      this.#end();
      throw this.#source.errorOf(thrown);
    }
  }

  /** Says that the reader leaves. */
  return(): Promise<IteratorResult<StreamChatResponse, undefined>> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  #begin(): Promise<AnsweredRpc> {
    const { signal, run } = this.#source;
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
    const answered = run(this.#queue, this.#abort.signal);
    const end = (): void => {
      this.#isAnswered = true;
      this.#queue.end();
    };
    answered.then(end, end);
    return answered;
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#answered === undefined) return;
    this.#source.signal.removeEventListener('abort', this.#onAbort);
    if (!this.#isAnswered) this.#abort.abort(READER_LEFT);
  }
}
