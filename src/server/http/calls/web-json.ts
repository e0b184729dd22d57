import { compressionGzip } from '@connectrpc/connect-node';
import { JSON_ENCODER } from '../../wire/json-encoder.ts';

/** How Connect reads and writes JSON; the encoder is an option of its serialization, and a test watches that it still is. */
export const WEB_JSON = { ignoreUnknownFields: false, textEncoder: JSON_ENCODER };

/** Most bytes that the message in a query expands to; a query cannot be long, but it can be compressed. */
const QUERY_BYTES = 64 * 1024;

/** Expands what stands in queries; bodies come expanded. */
export const MESSAGE_COMPRESSION = {
  ...compressionGzip,
  decompress: (bytes: Uint8Array, readMaxBytes: number) =>
    compressionGzip.decompress(bytes, Math.min(readMaxBytes, QUERY_BYTES)),
};

/** An answer in JSON may be so much larger than the message that it stands for; HTTP knows no limit. */
const JSON_EXPANSION = 6;

/** What Connect may read and write, in bytes. */
export interface WebLimits {
  readonly readMaxBytes: number;
  readonly writeMaxBytes: number;
}

/** Returns what Connect may read and write, in bytes; what is larger than a message may be is refused before it gets there, with details. */
export function webLimits(maxMessageBytes: number): WebLimits {
  return { readMaxBytes: 2 * maxMessageBytes, writeMaxBytes: maxMessageBytes * JSON_EXPANSION };
}
