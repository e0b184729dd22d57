import type { Delta } from '../../core/answer.ts';
import type { FailureReason } from '../../core/failure.ts';
import type { ClientSink, Serving } from '../../engine/port/call.ts';

/** Something that a stream tells its caller before the end. */
export type StreamItem =
  | { readonly type: 'started'; readonly serving: Serving }
  | { readonly type: 'restarted'; readonly serving: Serving; readonly reason: FailureReason }
  | { readonly type: 'delta'; readonly delta: Delta }
  | { readonly type: 'ping' };

/** Most bytes of text that wait for a slow reader (engine rule G6: 1 MiB). */
export const MAX_QUEUED_BYTES = 1024 * 1024;

/** Most pieces of the answer that wait for a slow reader. */
export const MAX_QUEUED_DELTAS = 256;

/** Largest message that waiting pieces are joined to, in bytes. */
const MAX_JOINED_BYTES = 64 * 1024;

/** How much of either must be read before the engine goes on: within its client stall, so that it is little. */
const LEAST_READ_BYTES = MAX_JOINED_BYTES;
const LEAST_READ_DELTAS = 16;

interface Entry {
  item: StreamItem;
  bytes: number;
  deltas: number;
  next: Entry | undefined;
}

/**
 * Stands between the engine, which pushes, and a door, which hears of it and pulls. It asks the engine to stop above 1 MiB or 256 pieces and
 * calls it back when 64 KiB or 16 of these were read. Pieces of the same part that wait together are joined, so that a slow reader gets fewer
 * and larger events.
 */
export class AnswerQueue implements ClientSink<Delta> {
  readonly #onReady: () => void;
  #first: Entry | undefined;
  #last: Entry | undefined;
  #bytes = 0;
  #deltas = 0;
  #ended = false;
  #resume: (() => void) | undefined;

  /** @param onReady called whenever something has come, and at the end, in the middle of what the engine does: not the time to take it */
  constructor(onReady: () => void) {
    this.#onReady = onReady;
  }

  started(serving: Serving): void {
    this.#push({ type: 'started', serving }, 0, 0);
  }

  /** What waits of the broken answer is still read before it: its sequence is what the event tells the caller to discard. */
  restarted(serving: Serving, reason: FailureReason): void {
    this.#push({ type: 'restarted', serving, reason }, 0, 0);
  }

  output(delta: Delta): boolean {
    if (this.#ended) return true;
    const bytes = sizeOf(delta);
    const last = this.#last;
    const joined =
      last?.item.type === 'delta' && last.bytes + bytes <= MAX_JOINED_BYTES ? join(last.item.delta, delta) : undefined;
    this.#bytes += bytes;
    this.#deltas += 1;
    if (last !== undefined && joined !== undefined) {
      last.item = { type: 'delta', delta: joined };
      last.bytes += bytes;
      last.deltas += 1;
    } else {
      this.#push({ type: 'delta', delta }, bytes, 1);
    }
    return this.#bytes <= MAX_QUEUED_BYTES && this.#deltas < MAX_QUEUED_DELTAS;
  }

  whenWritable(resume: () => void): void {
    this.#resume = resume;
    // The reader may have emptied the queue already; the engine is called back only after this call has returned.
    queueMicrotask(() => this.#resumeWhenLow());
  }

  ping(): void {
    if (this.#last?.item.type !== 'ping') this.#push({ type: 'ping' }, 0, 0);
  }

  /** Says that nothing more comes; what waits is still read. */
  end(): void {
    this.#ended = true;
    this.#resume = undefined;
    this.#onReady();
  }

  /** Returns the next item that is there, undefined for none. */
  take(): StreamItem | undefined {
    const entry = this.#first;
    if (entry === undefined) return undefined;
    this.#first = entry.next;
    if (entry.next === undefined) this.#last = undefined;
    this.#bytes -= entry.bytes;
    this.#deltas -= entry.deltas;
    this.#resumeWhenLow();
    return entry.item;
  }

  #push(item: StreamItem, bytes: number, deltas: number): void {
    if (this.#ended) return;
    const entry: Entry = { item, bytes, deltas, next: undefined };
    if (this.#last === undefined) this.#first = entry;
    else this.#last.next = entry;
    this.#last = entry;
    this.#onReady();
  }

  #resumeWhenLow(): void {
    if (this.#bytes > MAX_QUEUED_BYTES - LEAST_READ_BYTES) return;
    if (this.#deltas > MAX_QUEUED_DELTAS - LEAST_READ_DELTAS) return;
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }
}

function sizeOf(delta: Delta): number {
  if (delta.kind === 'tool_call') return Buffer.byteLength(delta.argumentsFragment);
  return delta.kind === 'part_finished' ? (delta.state?.byteLength ?? 0) : Buffer.byteLength(delta.text);
}

/** Joins two pieces of one part; undefined where they are not two pieces of one. */
function join(first: Delta, second: Delta): Delta | undefined {
  if (first.index !== second.index) return undefined;
  if (first.kind === 'text' && second.kind === 'text') return { ...first, text: first.text + second.text };
  if (first.kind === 'reasoning' && second.kind === 'reasoning') return { ...first, text: first.text + second.text };
  if (first.kind !== 'tool_call' || second.kind !== 'tool_call') return undefined;
  if (second.id !== undefined || second.name !== undefined) return undefined;
  return { ...first, argumentsFragment: first.argumentsFragment + second.argumentsFragment };
}
