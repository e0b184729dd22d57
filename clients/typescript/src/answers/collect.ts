import { Code, ConnectError } from '@connectrpc/connect';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.js';
import type { StreamChatResponse } from '../../gen/understudy/v1/llm_pb.js';
import { Accumulator, type CollectedAnswer } from './accumulator.ts';

/**
 * Reads a stream to its end and puts the answer together as the gateway does for Chat. What a `restarted` event discards is
 * left out. `onEvent` sees every event as it comes, those too that are discarded later; an exception in it aborts the call.
 * Rejects with the error of the stream; with ABORTED, STREAM_INTERRUPTED, if it ended without `finished`.
 */
export async function collect(
  stream: AsyncIterable<StreamChatResponse>,
  onEvent?: (event: StreamChatResponse) => void,
): Promise<CollectedAnswer> {
  const answer = new Accumulator();
  for await (const response of stream) {
    onEvent?.(response);
    answer.add(response);
  }
  const { finished } = answer;
  if (finished === undefined) throw unfinishedError();
  const { text, reasoning, message, started, restarts, events } = answer;
  return { text, reasoning, message, finished, started, restarts, events };
}

/** Makes the error of a stream that ended without `finished`; it looks as the gateway's own for a broken answer. */
export function unfinishedError(): ConnectError {
  const value = { reason: 'STREAM_INTERRUPTED', domain: 'understudy', metadata: { origin: 'client' } };
  return new ConnectError('the stream ended without "finished"', Code.Aborted, undefined, [
    { desc: ErrorInfoSchema, value },
  ]);
}
