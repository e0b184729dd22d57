import { OTHERS_CATCH_UP } from '../../../core/cohort.ts';
import type { StreamChatResponse } from '../../../../gen/understudy/v1/llm_pb.ts';
import type { EventStream } from '../../handlers/event-stream.ts';

/** Writes the messages of one stream, and says when its reader is behind. */
export interface EventWriter {
  /** Whether messages are to wait; never where the client is gone. */
  readonly isFull: boolean;
  /** Writes what `next` returns until it is undefined, or until it is full; tells whether it has taken all. Throws what `next` throws. */
  write(next: () => StreamChatResponse | undefined): boolean;
  /** Calls back once when there is room again, or the client is gone. */
  whenRoom(onRoom: () => void): void;
}

/**
 * Writes the events of an answer as they come, no faster than the caller reads: those of one turn in one write, behind every promise that
 * is settled by then, so that what follows from the last of them goes out with them. No event costs a promise.
 *
 * @param signal drops what comes once it has aborted; the answer ends then, and what it ends with may say more than the signal's reason.
 *   Undefined: nothing is dropped
 * @param ended called once, with the last write: with undefined, or with what was thrown
 */
export function pumpEvents(
  events: EventStream,
  writer: EventWriter,
  signal: AbortSignal | undefined,
  ended: (fault: { readonly thrown: unknown } | undefined) => void,
): void {
  let isDue = false;
  const end = (fault: Parameters<typeof ended>[0]): void => {
    isDue = true;
    events.leave();
    ended(fault);
  };
  const take = () => events.take();
  const drop = () => {
    while (events.take() !== undefined);
    return undefined;
  };
  const pump = (): void => {
    isDue = false;
    if (writer.isFull && signal?.aborted !== true) {
      writer.whenRoom(due);
      return;
    }
    let hasMore: boolean;
    try {
      hasMore = !writer.write(signal?.aborted === true ? drop : take);
    } catch (thrown) {
      end({ thrown });
      return;
    }
    if (events.isOver) end(signal?.aborted === true ? { thrown: signal.reason } : undefined);
    else if (writer.isFull) writer.whenRoom(due);
    // A client that is gone need not be waited for, and the signal may not have aborted yet.
    else if (hasMore) due();
  };
  // Ticks come before promises where nobody is in one, and behind all of them from within one.
  const later = (): void => process.nextTick(pump);
  const due = (): void => {
    if (isDue) return;
    isDue = true;
    void OTHERS_CATCH_UP.then(later);
  };
  events.begin(due);
}
