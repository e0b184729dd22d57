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

type Ending = { readonly answered: AnsweredRpc } | { readonly thrown: unknown };

/** Why the request ends of a reader who has left. Made once: an `abort` without a reason makes an error with a stack, each time. */
const READER_LEFT = new Error('The reader has left.');

/**
 * The events of one streamed answer, for one reader, who iterates over them, or begins the request and takes what is there whenever it
 * hears that something is. The request has a signal of its own, which aborts in the turn in which the caller's does or the reader leaves.
 */
export class EventStream implements AsyncIterableIterator<StreamChatResponse> {
  readonly #source: EventSource;
  readonly #events: StreamEvents;
  readonly #abort = new AbortController();
  readonly #onAbort = (): void => this.#abort.abort(this.#source.signal.reason);
  readonly #queue = new AnswerQueue(() => this.#onReady?.());
  #onReady: (() => void) | undefined;
  #hasBegun = false;
  #ending: Ending | undefined;
  #isOver = false;

  constructor(source: EventSource) {
    this.#source = source;
    this.#events = new StreamEvents(source.requestId);
  }

  /** Whether nothing more comes: the last event was taken, its error thrown, or the reader has left. */
  get isOver(): boolean {
    return this.#isOver;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Begins the request. `onReady` is called whenever there may be something to take, in the middle of whatever has brought it. */
  begin(onReady: () => void): void {
    this.#onReady = onReady;
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const { signal, run } = this.#source;
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
    run(this.#queue, this.#abort.signal).then(
      (answered) => this.#end({ answered }),
      (thrown: unknown) => this.#end({ thrown }),
    );
  }

  /** Returns the next event that is there; undefined for none. Throws a ConnectError where the answer has broken off behind it. */
  take(): StreamChatResponse | undefined {
    if (this.#isOver) return undefined;
    const item = this.#queue.take();
    if (item !== undefined) return this.#events.of(item);
    const ending = this.#ending;
    if (ending === undefined) return undefined;
    this.#close();
    if ('thrown' in ending) throw this.#source.errorOf(ending.thrown);
    try {
      const { result, answer } = ending.answered;
      return this.#events.finished(finishedEvent(result, answer));
    } catch (thrown) {
      throw this.#source.errorOf(thrown);
    }
  }

  /** Waits for the next event, and begins the request where nobody has. Rejects with a ConnectError where the answer breaks off. */
  async next(): Promise<IteratorResult<StreamChatResponse, undefined>> {
    while (!this.#isOver) {
      const event = this.take();
      if (event !== undefined) return { done: false, value: event };
      await new Promise<void>((resolve) => {
        this.begin(resolve);
      });
    }
    return { done: true, value: undefined };
  }

  /** Says that the reader leaves. */
  return(): Promise<IteratorResult<StreamChatResponse, undefined>> {
    this.leave();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** The same, for readers who take. */
  leave(): void {
    if (this.#isOver) return;
    this.#close();
    if (this.#hasBegun && this.#ending === undefined) this.#abort.abort(READER_LEFT);
    this.#onReady?.();
  }

  #end(ending: Ending): void {
    this.#ending = ending;
    this.#queue.end();
  }

  #close(): void {
    this.#isOver = true;
    this.#source.signal.removeEventListener('abort', this.#onAbort);
  }
}
