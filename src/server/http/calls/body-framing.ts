import type { IncomingHttpHeaders } from 'node:http';
import type { DescMessage } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import type { TransferFault } from '../../errors/transfer-errors.ts';
import { lookAtBinary } from '../../wire/binary-shape.ts';
import type { BytesHeld } from '../../wire/byte-budget.ts';
import { expandHeld, isMessageCoding } from '../../wire/expand-message.ts';
import { lookAtJson } from '../../wire/json-shape.ts';
import { needsLook, SHAPE_LIMITS } from '../../wire/message-shape.ts';

/** Flags and length before each message in an envelope (Connect, "Streaming-Request"; gRPC-Web). */
const ENVELOPE_PREFIX_BYTES = 5;
const COMPRESSED = 1;

/** How the message of a request stands in its body. */
export interface BodyFraming {
  /** Whether the first bytes of a body say that its message is larger than `mostBytes`. */
  declaresTooMuch(first: Buffer, mostBytes: number): boolean;
  /**
   * Expands and looks at what has come. Rejects with a ConnectError where it is not what it says it is.
   *
   * @returns the body with its messages expanded, or what is too much about it
   */
  open(bytes: Buffer, schema: DescMessage, held: BytesHeld, mostBytes: number): Promise<Uint8Array | TransferFault>;
}

/**
 * Reads from headers how a body is framed. Where a body is expanded here, its `content-encoding` and its length are taken from the
 * headers, in place: who reads them next gets it expanded.
 */
export function readBodyFraming(headers: IncomingHttpHeaders): BodyFraming {
  const contentType = (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const isJson = contentType.endsWith('json');
  const isEnveloped = contentType.startsWith('application/connect+') || contentType.startsWith('application/grpc-web');
  if (isEnveloped) {
    const coding = headers['connect-content-encoding'] ?? headers['grpc-encoding'];
    return { declaresTooMuch: firstIsLarger, open: (...rest) => openEnvelopes(coding, isJson, ...rest) };
  }
  const coding = headers['content-encoding'];
  const declaresTooMuch = (): boolean => false;
  if (coding !== 'gzip')
    return { declaresTooMuch, open: async (bytes, schema) => look(bytes, schema, isJson) ?? bytes };
  delete headers['content-encoding'];
  // That of the compressed body.
  delete headers['content-length'];
  return {
    declaresTooMuch,
    open: async (bytes, schema, held, mostBytes) => {
      const expanded = await expand(coding, bytes, held, mostBytes);
      return typeof expanded === 'string' ? expanded : (look(expanded, schema, isJson) ?? expanded);
    },
  };
}

/** Whether the prefix of the first envelope names a length above `mostBytes`. */
function firstIsLarger(first: Buffer, mostBytes: number): boolean {
  return first.length >= ENVELOPE_PREFIX_BYTES && first.readUInt32BE(1) > mostBytes;
}

/** Returns the message of a body that is one envelope without flags; undefined for any other body. */
export function onlyMessage(body: Uint8Array): Uint8Array | undefined {
  if (body.byteLength < ENVELOPE_PREFIX_BYTES || body[0] !== 0) return undefined;
  const { buffer, byteOffset, byteLength } = body;
  const isWhole = new DataView(buffer, byteOffset, byteLength).getUint32(1) === byteLength - ENVELOPE_PREFIX_BYTES;
  return isWhole ? body.subarray(ENVELOPE_PREFIX_BYTES) : undefined;
}

async function openEnvelopes(
  coding: string | string[] | undefined,
  isJson: boolean,
  bytes: Buffer,
  schema: DescMessage,
  held: BytesHeld,
  mostBytes: number,
): Promise<Uint8Array | TransferFault> {
  const opened: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const start = at + ENVELOPE_PREFIX_BYTES;
    const length = start <= bytes.length ? bytes.readUInt32BE(at + 1) : Infinity;
    if (length > mostBytes && length !== Infinity) return 'too_large';
    if (start + length > bytes.length) {
      throw new ConnectError('protocol error: incomplete envelope', Code.InvalidArgument);
    }
    const flags = bytes[at] ?? 0;
    let message = bytes.subarray(start, start + length);
    at = start + length;
    const isCompressed = (flags & COMPRESSED) !== 0 && coding === 'gzip' && length > 0;
    if (isCompressed) {
      const expanded = await expand(coding, message, held, mostBytes);
      if (typeof expanded === 'string') return expanded;
      message = expanded;
    }
    const fault = look(message, schema, isJson);
    if (fault !== undefined) return fault;
    const prefix = Buffer.alloc(ENVELOPE_PREFIX_BYTES);
    prefix.writeUInt8(isCompressed ? flags & ~COMPRESSED : flags, 0);
    prefix.writeUInt32BE(message.length, 1);
    opened.push(prefix, message);
  }
  return opened.length === 2 && opened[1]?.buffer === bytes.buffer ? bytes : Buffer.concat(opened);
}

async function expand(coding: string, bytes: Buffer, held: BytesHeld, mostBytes: number) {
  if (bytes.length === 0 || !isMessageCoding(coding)) return bytes;
  const expanded = await expandHeld(coding, bytes, held, mostBytes);
  if (expanded === 'not_in_the_coding') {
    throw new ConnectError('The request is not in the coding that it names.', Code.InvalidArgument);
  }
  return expanded;
}

function look(bytes: Uint8Array, schema: DescMessage, isJson: boolean): TransferFault | undefined {
  if (!needsLook(bytes.byteLength, SHAPE_LIMITS)) return undefined;
  const found = isJson ? lookAtJson(bytes, SHAPE_LIMITS) : lookAtBinary(schema, bytes, SHAPE_LIMITS);
  if (found === 'malformed') {
    throw new ConnectError('The request is no message of the contract.', isJson ? Code.InvalidArgument : Code.Internal);
  }
  return typeof found === 'string' ? found : undefined;
}
