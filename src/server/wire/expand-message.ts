import { gunzip, inflate, type ZlibOptions } from 'node:zlib';

/** Up to this size, in bytes, a message may expand whatever it was compressed to. */
const RATIO_FREE_BYTES = 1024 * 1024;

/** Bytes that one compressed byte may become: well above what text compresses to, a tenth of what deflate can do. */
const MAX_RATIO = 100;

const CODINGS = { gzip: gunzip, deflate: inflate } as const;

type Expand = (bytes: Uint8Array, options: ZlibOptions, done: (error: Error | null, result: Buffer) => void) => void;

/** An expanded message, or why there is none. */
export type Expanded = { readonly bytes: Buffer } | { readonly fault: 'too_large' | 'not_in_the_coding' };

/** The codings that are read. */
export type MessageCoding = keyof typeof CODINGS;

/** Whether a message may come in this coding. */
export function isMessageCoding(name: string): name is MessageCoding {
  return Object.hasOwn(CODINGS, name);
}

/** Returns how many bytes a compressed message of `compressedBytes` may become, at most `mostBytes`. */
export function expansionLimit(compressedBytes: number, mostBytes: number): number {
  return Math.min(mostBytes, Math.max(RATIO_FREE_BYTES, compressedBytes * MAX_RATIO));
}

/** Expands a message, beside the event loop, and stops as soon as it is larger than {@link expansionLimit} allows. Never rejects. */
export function expandMessage(coding: MessageCoding, bytes: Uint8Array, mostBytes: number): Promise<Expanded> {
  const maxOutputLength = expansionLimit(bytes.byteLength, mostBytes);
  const expand: Expand = CODINGS[coding];
  return new Promise((resolve) => {
    expand(bytes, { maxOutputLength }, (error, result) => {
      if (error === null) resolve({ bytes: result });
      else resolve({ fault: isTooLarge(error) ? 'too_large' : 'not_in_the_coding' });
    });
  });
}

function isTooLarge(error: Error): boolean {
  return 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
}
