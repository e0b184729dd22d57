import type { AdapterEvent } from '../../src/providers/port/adapter.ts';
import { anthropic } from '../../src/providers/anthropic/messages-api.ts';

type Sample = Readonly<Record<string, unknown>>;

/** The first event of a stream. */
export const START = {
  type: 'message_start',
  message: { id: 'msg_1', model: 'claude-sonnet-5-5', content: [], usage: { input_tokens: 10, output_tokens: 3 } },
};

/** The last event of a stream. */
export const STOP = { type: 'message_stop' };

/** Begins a block. */
export function block(index: number, contentBlock: Sample) {
  return { type: 'content_block_start', index, content_block: contentBlock };
}

/** Adds to a block. */
export function piece(index: number, delta: Sample) {
  return { type: 'content_block_delta', index, delta };
}

/** Ends a block. */
export function blockEnd(index: number) {
  return { type: 'content_block_stop', index };
}

/** Tells why the answer ends, and what it took. */
export function ending(stopReason: string | null, usage: Sample = { output_tokens: 7 }) {
  return { type: 'message_delta', delta: { stop_reason: stopReason, stop_sequence: null }, usage };
}

/** Makes an error, as a body or as an event. */
export function fault(type: string, message = 'Text of the provider', details?: unknown) {
  return { type: 'error', error: { type, message, details }, request_id: 'req_1' };
}

/** Reads objects that are framed as the API does: the event is named after the type. */
export function readStream(...objects: readonly Sample[]): readonly AdapterEvent[] {
  const read = anthropic.events();
  return objects.flatMap((object) => read({ name: String(object['type']), data: JSON.stringify(object) }));
}
