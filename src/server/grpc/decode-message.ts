import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';

/** Decodes a message of the contract. Throws a ConnectError, INTERNAL, where the bytes are not one. */
export function decodeMessage<Schema extends DescMessage>(schema: Schema, bytes: Buffer): MessageShape<Schema> {
  try {
    return fromBinary(schema, bytes);
  } catch (cause) {
    throw new ConnectError('The request is no message of the contract.', Code.Internal, undefined, undefined, cause);
  }
}
