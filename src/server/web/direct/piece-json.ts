import type { PieceEvent } from '../../grpc/streams/piece-event.ts';

/**
 * Writes the event of a piece of text or reasoning in JSON, as the library does; a test holds it to that. Undefined for a text with half
 * of a surrogate pair, for which JSON needs more.
 */
export function pieceJson({ sequence, event }: PieceEvent): string | undefined {
  const { partIndex, text } = event.value;
  if (!text.isWellFormed()) return undefined;
  const index = partIndex === 0 ? '' : `"partIndex":${partIndex},`;
  return `{"sequence":"${sequence}","${event.case}":{${index}"text":${JSON.stringify(text)}}}`;
}
