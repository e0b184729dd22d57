import { Code } from '@connectrpc/connect';
import type { TransferFault } from '../../errors/transfer-errors.ts';
import type { RefusedTransfer } from '../../port/transfer-figures.ts';
import type { BytesHeld } from '../../wire/byte-budget.ts';
import { expandHeld, isMessageCoding } from '../../wire/expand-message.ts';
import type { MessageReader } from './message-reader.ts';

/** What is wrong with a request: that it is not what it says it is, or what it takes. */
export type RequestFault =
  | { readonly code: Code; readonly details: string }
  | { readonly reason: RefusedTransfer; readonly fault: TransferFault };

/**
 * Opens a request that has come to its end: one message, expanded where it says that it is compressed. The promise never rejects.
 *
 * @param coding what its `grpc-encoding` says
 * @param mostBytes of the message, expanded
 */
export function openRequest(
  reader: MessageReader,
  coding: string | string[] | undefined,
  held: BytesHeld,
  mostBytes: number,
): Buffer | RequestFault | Promise<Buffer | RequestFault> {
  if (reader.received === 0) return { code: Code.Unimplemented, details: 'The request has no message.' };
  if (!reader.isComplete) return { code: Code.Internal, details: 'The message of the request is cut off.' };
  if (!reader.isCompressed) return reader.message;
  if (coding === undefined || coding === 'identity') {
    return { code: Code.Internal, details: 'The request is compressed, but names no grpc-encoding.' };
  }
  if (typeof coding !== 'string' || !isMessageCoding(coding)) {
    return { code: Code.Unimplemented, details: 'The grpc-encoding of the request is not known here.' };
  }
  return expandHeld(coding, reader.message, held, mostBytes).then((expanded) => {
    if (expanded === 'over_budget') return { reason: 'bytes_in_flight', fault: expanded };
    if (expanded === 'expands_too_much') return { reason: 'message_size', fault: expanded };
    if (typeof expanded !== 'string') return expanded;
    return { code: Code.Internal, details: 'The request is not in the coding that it names.' };
  });
}
