import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { lookAtBinary } from '../../wire/binary-shape.ts';
import { needsLook, SHAPE_LIMITS } from '../../wire/message-shape.ts';
import type { CallStream } from './call-stream.ts';

/**
 * Decodes the request of a call. Throws a ConnectError: INTERNAL where it is no message of the contract, and where decoding
 * would cost too much INVALID_ARGUMENT or RESOURCE_EXHAUSTED.
 */
export function decodeRequest<Schema extends DescMessage>(schema: Schema, call: CallStream): MessageShape<Schema> {
  const bytes = call.takeRequest();
  if (needsLook(bytes.byteLength, SHAPE_LIMITS)) {
    const look = lookAtBinary(schema, bytes, SHAPE_LIMITS);
    if (look === 'malformed') throw noMessage();
    if (typeof look === 'string') throw call.refusal('message_shape', look);
  }
  try {
    return fromBinary(schema, bytes);
  } catch (cause) {
    throw noMessage(cause);
  }
}

function noMessage(cause?: unknown): ConnectError {
  return new ConnectError('The request is no message of the contract.', Code.Internal, undefined, undefined, cause);
}
