import {
  type StreamChatResponse,
  StreamChatResponseSchema,
  type StreamChatResponse_ReasoningDelta,
  type StreamChatResponse_TextDelta,
} from '../../../../gen/understudy/v1/llm_pb.ts';

/** The event of a piece of text or reasoning. */
export type PieceEvent = StreamChatResponse & {
  event:
    | { case: 'textDelta'; value: StreamChatResponse_TextDelta }
    | { case: 'reasoningDelta'; value: StreamChatResponse_ReasoningDelta };
};

/** Whether a message is such an event, and as plain as the gateway makes them: what is odd is for the library to encode or to refuse. */
export function isPieceEvent(message: object): message is PieceEvent {
  if (!isStreamEvent(message)) return false;
  const { sequence, event } = message;
  if (event.case !== 'textDelta' && event.case !== 'reasoningDelta') return false;
  const { partIndex, text } = event.value;
  return sequence > 0n && sequence <= MOST_SEQUENCE && partIndex >= 0 && partIndex === (partIndex | 0) && text !== '';
}

const MOST_SEQUENCE = BigInt(Number.MAX_SAFE_INTEGER);

function isStreamEvent(message: { readonly $typeName?: unknown }): message is StreamChatResponse {
  return message.$typeName === StreamChatResponseSchema.typeName;
}

/** Field numbers and wire types of the contract (protobuf encoding, "Message Structure"). */
const SEQUENCE = (1 << 3) | 0;
const TEXT_DELTA = (3 << 3) | 2;
const REASONING_DELTA = (4 << 3) | 2;
const PART_INDEX = (1 << 3) | 0;
const TEXT = (2 << 3) | 2;

/** Bytes of everything but the text, at most: four tags, and varints of 53, 31, 32 and 31 bits. */
const MOST_BESIDE_TEXT = 4 + 8 + 5 + 5 + 5;

/** Returns how many bytes an event takes at most. */
export function pieceEventRoom({ event }: PieceEvent): number {
  return MOST_BESIDE_TEXT + 3 * event.value.text.length;
}

/** Texts up to this length are written by character: a call into Node costs more. */
const SHORT = 48;

/** Writes an event into bytes that have room for it, and returns where it ends. */
export function writePieceEvent({ sequence, event }: PieceEvent, bytes: Buffer, from: number): number {
  const { partIndex, text } = event.value;
  const textBytes = Buffer.byteLength(text);
  const indexBytes = partIndex === 0 ? 0 : 1 + varintBytes(partIndex);
  let at = from;
  bytes[at] = SEQUENCE;
  at = writeVarint(bytes, at + 1, Number(sequence));
  bytes[at] = event.case === 'textDelta' ? TEXT_DELTA : REASONING_DELTA;
  at = writeVarint(bytes, at + 1, indexBytes + 1 + varintBytes(textBytes) + textBytes);
  if (partIndex !== 0) {
    bytes[at] = PART_INDEX;
    at = writeVarint(bytes, at + 1, partIndex);
  }
  bytes[at] = TEXT;
  at = writeVarint(bytes, at + 1, textBytes);
  if (textBytes === text.length && textBytes <= SHORT) {
    for (let index = 0; index < textBytes; index += 1) bytes[at + index] = text.charCodeAt(index);
  } else {
    bytes.write(text, at);
  }
  return at + textBytes;
}

function writeVarint(bytes: Buffer, from: number, value: number): number {
  let at = from;
  let rest = value;
  while (rest > 127) {
    bytes[at] = (rest % 128) + 128;
    rest = Math.floor(rest / 128);
    at += 1;
  }
  bytes[at] = rest;
  return at + 1;
}

function varintBytes(value: number): number {
  let length = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) length += 1;
  return length;
}
