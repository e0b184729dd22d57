/// <reference lib="esnext.disposable" preserve="true" />

import type { StreamChatResponse } from '../../gen/understudy/v1/llm_pb.js';
import type { CallStream } from '../calls/call-stream.ts';
import type { StreamEnd } from '../calls/caller.ts';
import type { CollectedAnswer } from './accumulator.ts';
import { collect, unfinishedError } from './collect.ts';

/**
 * The events of one answer, to be read once, with `for await` or by {@link AnswerStream.collect}. Leaving early aborts the
 * call in the same turn.
 */
export interface AnswerStream extends AsyncIterableIterator<StreamChatResponse> {
  /**
   * Reads to the end and puts the answer together, without what a `restarted` event discards. `onEvent` sees every event as it
   * comes; an exception in it aborts the call. Rejects as reading does.
   */
  collect(onEvent?: (event: StreamChatResponse) => void): Promise<CollectedAnswer>;
  /** Leaves the stream, which aborts the call in the same turn. */
  return(): Promise<IteratorResult<StreamChatResponse>>;
  /** Does what {@link AnswerStream.return} does, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes the stream of an answer. One that ends without `finished` throws ABORTED with reason STREAM_INTERRUPTED: a truncated
 * answer never looks complete.
 */
export function answerStream(
  start: (end: StreamEnd<StreamChatResponse>) => CallStream<StreamChatResponse>,
): AnswerStream {
  const events = start({ isLast: ({ event }) => event.case === 'finished', unfinished: unfinishedError });
  const stream: AnswerStream = {
    next: () => events.next(),
    return: () => events.return(),
    throw: (error: unknown) => events.throw(error),
    collect: (onEvent) => collect(stream, onEvent),
    [Symbol.asyncIterator]: () => stream,
    [Symbol.asyncDispose]: () => events[Symbol.asyncDispose](),
  };
  return stream;
}
