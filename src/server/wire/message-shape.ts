import { MAX_FIELDS, MAX_NESTING, MAX_TEXT_BYTES } from '../port/limits.ts';

/** What a message may be made of, whatever its size. Decoding costs time and memory by the field, text memory by the byte. */
export interface ShapeLimits {
  /** Most fields, those of the messages within and unknown ones included. */
  readonly fields: number;
  /** Deepest nesting of messages within messages, and of JSON. */
  readonly nesting: number;
  /** Most bytes besides those of `bytes` fields, which are attachments. */
  readonly textBytes: number;
}

/** What every request is held to. */
export const SHAPE_LIMITS: ShapeLimits = { fields: MAX_FIELDS, nesting: MAX_NESTING, textBytes: MAX_TEXT_BYTES };

/** What is wrong with the shape of a message. */
export type ShapeFault = 'malformed' | 'too_many_fields' | 'too_deep' | 'too_much_text';

/**
 * Whether a message of so many bytes must be looked at: each field takes two bytes at least, so that a shorter one cannot have
 * too many, and the decoder bounds the depth by itself.
 */
export function needsLook(byteLength: number, { fields, textBytes }: ShapeLimits): boolean {
  return byteLength > Math.min(2 * fields, textBytes);
}
