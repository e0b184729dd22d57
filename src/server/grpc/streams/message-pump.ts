import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import { oneMessage } from './one-message.ts';
import type { GrpcStreamWriter } from './stream-writer.ts';

/**
 * Writes the messages of any stream, one after the other, no faster than the caller reads.
 *
 * @param signal drops what comes once it has aborted; the handler has seen it, and what it throws may say more than the signal's reason
 * @param ended called once, behind the last write: with undefined, or with what was thrown
 */
export async function pumpMessages<Schema extends DescMessage>(
  messages: AsyncIterable<MessageInitShape<Schema>>,
  writer: GrpcStreamWriter<Schema>,
  signal: AbortSignal,
  ended: (fault: { readonly thrown: unknown } | undefined) => void,
): Promise<void> {
  try {
    for await (const message of messages) {
      if (signal.aborted) continue;
      writer.write(oneMessage(message));
      if (writer.isFull) await new Promise<void>((resolve) => writer.whenRoom(resolve));
    }
    signal.throwIfAborted();
  } catch (thrown) {
    ended({ thrown });
    return;
  }
  ended(undefined);
}
