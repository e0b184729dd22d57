import { Code } from '@connectrpc/connect';
import type { BytesHeld } from '../../wire/byte-budget.ts';
import { expandHeld, isMessageCoding } from '../../wire/expand-message.ts';

/** What is wrong with a request that says that it is compressed: what it takes, or that it is not what it says. */
export type CodingFault = 'over_budget' | 'expands_too_much' | { readonly code: Code; readonly details: string };

/**
 * Expands the message of a request that says that it is compressed. Never rejects.
 *
 * @param coding what its `grpc-encoding` says
 * @param mostBytes of the message, expanded
 */
export async function expandRequest(
  coding: string | string[] | undefined,
  message: Buffer,
  held: BytesHeld,
  mostBytes: number,
): Promise<Buffer | CodingFault> {
  if (coding === undefined || coding === 'identity') {
    return { code: Code.Internal, details: 'The request is compressed, but names no grpc-encoding.' };
  }
  if (typeof coding !== 'string' || !isMessageCoding(coding)) {
    return { code: Code.Unimplemented, details: 'The grpc-encoding of the request is not known here.' };
  }
  const expanded = await expandHeld(coding, message, held, mostBytes);
  if (expanded !== 'not_in_the_coding') return expanded;
  return { code: Code.Internal, details: 'The request is not in the coding that it names.' };
}
