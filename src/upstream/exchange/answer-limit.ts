import type { Delta } from '../../core/answer.ts';
import type { AdapterEvent, EventReader, RepeatedForm, WireEvent } from '../../providers/port/adapter.ts';
import { tooLarge } from '../port/answer-failures.ts';

/** What a piece takes besides its text, about: an answer of tiny pieces must not take memory without end either. */
const BYTES_PER_PIECE = 64;

/**
 * Bounds a streamed answer: one of more than `maxBytes`, each piece reckoned as its size and 64 bytes, is a failure of class
 * `protocol`. Whole answers are kept until they are complete, so that an upstream that never stops would fill the memory.
 */
export function withAnswerLimit(reader: EventReader, maxBytes: number): EventReader {
  let bytes = 0;
  const within = (events: readonly AdapterEvent[]): readonly AdapterEvent[] => {
    for (const read of events) if (read.type === 'delta') bytes += deltaSize(read.delta) + BYTES_PER_PIECE;
    if (bytes > maxBytes) throw tooLarge();
    return events;
  };
  const { repeated } = reader;
  return Object.assign((event: WireEvent) => within(reader(event)), {
    repeated: repeated && {
      forms: () => repeated.forms(),
      read: (form: RepeatedForm, text: string, count: number) => {
        bytes += (count - 1) * BYTES_PER_PIECE;
        return within(repeated.read(form, text, count));
      },
    },
  });
}

/** The size of a piece of the answer in characters; close enough to bytes for the engine's bounds. 0: nothing in it. */
export function deltaSize(delta: Delta): number {
  switch (delta.kind) {
    case 'text':
    case 'reasoning':
      return delta.text.length;
    case 'tool_call':
      return (delta.name?.length ?? 0) + (delta.id?.length ?? 0) + delta.argumentsFragment.length;
    case 'part_finished':
      return 1 + (delta.state?.length ?? 0);
  }
}
