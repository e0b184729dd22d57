import { base64Encode } from '@bufbuild/protobuf/wire';

/** Writes bytes in base64, with padding and without line breaks; by the engine itself where it can. */
export function base64(bytes: Uint8Array): string {
  return typeof bytes.toBase64 === 'function' ? bytes.toBase64() : base64Encode(bytes);
}
