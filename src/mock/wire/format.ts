import type { MockAnswer } from '../answer/made-up-answer.ts';
import type { ErrorKind } from '../answer/fault-catalogue.ts';
import type { Chance } from '../shared/seeded.ts';

/** One event of a stream: a token of the answer, what says that the answer is complete, or what is around them. */
export interface Frame {
  readonly role: 'token' | 'end' | 'around';
  /** Name of an SSE event. */
  readonly name?: string;
  /** The JSON text, or what stands in its place. */
  readonly data: string;
}

/** What a wire format needs to know beside the answer. */
export interface WireContext {
  readonly chance: Chance;
  readonly includesUsage: boolean;
  readonly includesObfuscation: boolean;
}

/** A provider's wire format: turns an answer into its events, or into its JSON text. */
export interface Wire {
  readonly framing: 'sse' | 'ndjson';
  /** Raw bytes that the provider sends while a stream has nothing to say. */
  readonly keepAlive?: string;
  /** Raw bytes at the beginning of every stream. */
  readonly opening?: string;
  /** What it sends in front of a whole answer that takes long. */
  readonly wholeKeepAlive?: string;
  stream(answer: MockAnswer, context: WireContext): readonly Frame[];
  /** The events of an error in the middle; `sent` events went before it. */
  midStreamError(answer: MockAnswer, sent: number, context: WireContext): readonly Frame[];
  whole(answer: MockAnswer, context: WireContext): string;
}

/** What an error's text depends on. */
export interface ErrorTextContext {
  readonly kind: ErrorKind;
  readonly model: string;
  readonly inputTokens: number;
  readonly requestId: string;
}

const UTF8 = new TextEncoder();

/** Puts an event in its frame. */
export function frameText(framing: Wire['framing'], frame: Pick<Frame, 'name' | 'data'>): string {
  if (framing === 'ndjson') return `${frame.data}\n`;
  const name = frame.name === undefined ? '' : `event: ${frame.name}\n`;
  return `${name}data: ${frame.data}\n\n`;
}

/** Returns the UTF-8 bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  return UTF8.encode(text);
}
