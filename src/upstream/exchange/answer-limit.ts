import type { EventReader } from '../../providers/port/adapter.ts';
import { deltaSize } from './delta-size.ts';
import { protocolFailure } from '../port/protocol-failure.ts';

/** What a piece takes besides its text, about: an answer of tiny pieces must not take memory without end either. */
const BYTES_PER_PIECE = 64;

/**
 * Bounds a streamed answer: one of more than `maxBytes`, each piece reckoned as its size and 64 bytes, is a failure of class
 * `protocol`. Whole answers are kept until they are complete, so that an upstream that never stops would fill the memory.
 */
export function withAnswerLimit(reader: EventReader, maxBytes: number): EventReader {
  let bytes = 0;
  return (event) => {
    const events = reader(event);
    for (const read of events) if (read.type === 'delta') bytes += deltaSize(read.delta) + BYTES_PER_PIECE;
    if (bytes > maxBytes) throw protocolFailure('The answer of the provider is larger than allowed.');
    return events;
  };
}
