import { gunzip, inflate, type ZlibOptions } from 'node:zlib';
import type { BytesHeld } from './byte-budget.ts';

/** Up to this size, in bytes, a message may expand whatever it was compressed to. */
const RATIO_FREE_BYTES = 1024 * 1024;

/** Bytes that one compressed byte may become: well above what text compresses to, a tenth of what deflate can do. */
const MAX_RATIO = 100;

const CODINGS = { gzip: gunzip, deflate: inflate } as const;

type Expand = (bytes: Uint8Array, options: ZlibOptions, done: (error: Error | null, result: Buffer) => void) => void;

/** The codings that are read. */
export type MessageCoding = keyof typeof CODINGS;

/** Whether a message may come in this coding. */
export function isMessageCoding(name: string): name is MessageCoding {
  return Object.hasOwn(CODINGS, name);
}

/**
 * Expands a message within the budget of its call, of which only the expanded size stays taken. Never rejects.
 *
 * @param mostBytes the largest message
 */
export async function expandHeld(
  coding: MessageCoding,
  bytes: Uint8Array,
  held: BytesHeld,
  mostBytes: number,
): Promise<Buffer | 'over_budget' | 'expands_too_much' | 'not_in_the_coding'> {
  const limit = expansionLimit(bytes.byteLength, mostBytes);
  if (!held.take(limit)) return 'over_budget';
  const expanded = await expandMessage(coding, bytes, limit);
  held.giveBack(typeof expanded === 'string' ? limit : limit - expanded.byteLength);
  return expanded;
}

/** Returns how many bytes a compressed message of `compressedBytes` may become, at most `mostBytes`. */
function expansionLimit(compressedBytes: number, mostBytes: number): number {
  return Math.min(mostBytes, Math.max(RATIO_FREE_BYTES, compressedBytes * MAX_RATIO));
}

/** Expands beside the event loop, and stops as soon as there are more than `maxOutputLength` bytes. */
function expandMessage(
  coding: MessageCoding,
  bytes: Uint8Array,
  maxOutputLength: number,
): Promise<Buffer | 'expands_too_much' | 'not_in_the_coding'> {
  const expand: Expand = CODINGS[coding];
  return new Promise((resolve) => {
    expand(bytes, { maxOutputLength }, (error, result) => {
      if (error === null) resolve(result);
      else resolve(isTooLarge(error) ? 'expands_too_much' : 'not_in_the_coding');
    });
  });
}

function isTooLarge(error: Error): boolean {
  return 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
}
