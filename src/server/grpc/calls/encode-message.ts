import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { type Message, MessageSchema } from '../../../../gen/understudy/v1/chat_pb.ts';
import { type ChatResponse, ChatResponseSchema } from '../../../../gen/understudy/v1/llm_pb.ts';
import { type Attempt, WarningSchema } from '../../../../gen/understudy/v1/routing_pb.ts';
import type { Cost, Usage } from '../../../../gen/understudy/v1/usage_pb.ts';

/**
 * Encodes a message of the contract. What Chat answers with is written out below: the same bytes at half the cost, of a message
 * that the gateway has made, so that it has no unknown fields. A test holds it to whatever the contract says.
 */
export function encodeMessage<Schema extends DescMessage>(schema: Schema, message: MessageInitShape<Schema>): Buffer {
  const encoded = encodeAnswer(schema, message);
  return Buffer.isBuffer(encoded) ? encoded : Buffer.concat(encoded);
}

/** Encodes a message of the contract; a long answer of Chat in pieces, of which one stands in it twice and takes its room once. */
export function encodeAnswer<Schema extends DescMessage>(
  schema: Schema,
  message: MessageInitShape<Schema>,
): Buffer | readonly Buffer[] {
  const made = create(schema, message);
  return isChatResponse(made) ? encodeChatResponse(made) : bufferOf(toBinary(schema, made));
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function isChatResponse(message: { readonly $typeName: string }): message is ChatResponse {
  return message.$typeName === ChatResponseSchema.typeName;
}

/** Texts of more characters are put into their place as bytes: a writer that grows to their size copies them several times. */
const LONG_TEXT = 32 * 1024;

/** The same bytes of an answer whose text is long; where its text and its content are the same, they are encoded once. */
function encodeLongAnswer(response: ChatResponse, content: string | undefined): readonly Buffer[] {
  const { text, message } = response;
  const pieces: Buffer[] = [];
  const textBytes = Buffer.from(text);
  if (text !== '') pieces.push(lengthDelimited(1, textBytes.byteLength), textBytes);
  writeFacts(response);
  if (content === undefined) {
    writeAnswer(16, message, undefined);
    pieces.push(bufferOf(writer.finish()));
  } else {
    pieces.push(bufferOf(writer.finish()));
    const contentBytes = content === text ? textBytes : Buffer.from(content);
    const part = lengthDelimited(1, contentBytes.byteLength);
    writeInt(1, message?.role ?? 0);
    const answer = writer
      .uint32(tag(2, LENGTH_DELIMITED))
      .uint32(part.byteLength + contentBytes.byteLength)
      .finish();
    const answerBytes = answer.byteLength + part.byteLength + contentBytes.byteLength;
    pieces.push(lengthDelimited(16, answerBytes), bufferOf(answer), part, contentBytes);
  }
  return pieces;
}

/** What stands before the bytes of a field. */
function lengthDelimited(field: number, byteLength: number): Buffer {
  return bufferOf(new BinaryWriter().uint32(tag(field, LENGTH_DELIMITED)).uint32(byteLength).finish());
}

/** After an answer of more bytes the writer is made anew, so that its large buffer is not kept. */
const MAX_KEPT_BYTES = 64 * 1024;

/** One for all answers, since its buffer has grown to their size; nothing is awaited while one is written. */
let writer = new BinaryWriter();

function encodeChatResponse(message: ChatResponse): Buffer | readonly Buffer[] {
  try {
    const content = plainTextOf(message.message);
    if (message.text.length > LONG_TEXT || (content?.length ?? 0) > LONG_TEXT)
      return encodeLongAnswer(message, content);
    writeChatResponse(message, content);
    const bytes = writer.finish();
    if (bytes.length > MAX_KEPT_BYTES) writer = new BinaryWriter();
    return bufferOf(bytes);
  } catch (error) {
    // The writer holds half an answer now.
    writer = new BinaryWriter();
    throw error;
  }
}

function writeChatResponse(response: ChatResponse, content: string | undefined): void {
  writeString(1, response.text);
  writeFacts(response);
  writeAnswer(16, response.message, content);
}

/** Writes all besides the text and the content. */
function writeFacts(response: ChatResponse): void {
  writeOptionalInt(2, response.tokensUsed);
  writeOptionalDouble(3, response.costUsd);
  writeString(4, response.model);
  writeString(5, response.provider);
  writeOptionalDouble(6, response.latencyMs);
  for (const key in response.metadata) {
    begin(7).uint32(tag(1, LENGTH_DELIMITED)).string(key);
    writer
      .uint32(tag(2, LENGTH_DELIMITED))
      .string(response.metadata[key] ?? '')
      .join();
  }
  writeString(8, response.target);
  writeInt(9, response.finishReason);
  writeString(10, response.rawFinishReason);
  writeUsage(11, response.usage);
  writeCost(12, response.cost);
  for (const attempt of response.attempts) writeAttempt(13, attempt);
  for (const warning of response.warnings) {
    writer.uint32(tag(14, LENGTH_DELIMITED)).bytes(toBinary(WarningSchema, warning));
  }
  writeString(15, response.requestId);
}

function writeAttempt(field: number, attempt: Attempt): void {
  begin(field);
  writeInt(1, attempt.number);
  writeInt(2, attempt.kind);
  writeString(3, attempt.provider);
  writeString(4, attempt.target);
  writeString(5, attempt.model);
  writeInt(6, attempt.outcome);
  writeOptionalInt(7, attempt.httpStatus);
  writeString(8, attempt.providerCode);
  writeString(9, attempt.providerRequestId);
  writeDouble(10, attempt.startedAfterMs);
  writeDouble(11, attempt.durationMs);
  writeOptionalDouble(12, attempt.firstOutputMs);
  writeDouble(13, attempt.waitBeforeMs);
  writeUsage(14, attempt.usage);
  writeCost(15, attempt.cost);
  writer.join();
}

function writeUsage(field: number, usage: Usage | undefined): void {
  if (usage === undefined) return;
  begin(field);
  writeOptionalInt(1, usage.inputTokens);
  writeOptionalInt(2, usage.cachedInputTokens);
  writeOptionalInt(3, usage.cacheWriteTokens);
  writeOptionalInt(4, usage.outputTokens);
  writeOptionalInt(5, usage.reasoningTokens);
  writeOptionalInt(6, usage.totalTokens);
  writeInt(7, usage.source);
  writeString(8, usage.serviceTier);
  writer.join();
}

function writeCost(field: number, cost: Cost | undefined): void {
  if (cost === undefined) return;
  begin(field);
  if (cost.nanoUsd !== undefined) writer.uint32(tag(1, VARINT)).int64(cost.nanoUsd);
  writeInt(2, cost.source);
  writeString(3, cost.priceTableVersion);
  writer.join();
}

/** Most answers are one text; any other is left to the library. */
function writeAnswer(field: number, message: Message | undefined, text: string | undefined): void {
  if (message === undefined) return;
  if (text === undefined) {
    writer.uint32(tag(field, LENGTH_DELIMITED)).bytes(toBinary(MessageSchema, message));
    return;
  }
  begin(field);
  writeInt(1, message.role);
  begin(2).uint32(tag(1, LENGTH_DELIMITED)).string(text).join();
  writer.join();
}

/** The text of a message that is one text and nothing else. */
function plainTextOf(message: Message | undefined): string | undefined {
  if (message?.content.length !== 1) return undefined;
  const [only] = message.content;
  const isPlain = only?.providerState === undefined && only?.cacheBreakpoint === false;
  return isPlain && only.part.case === 'text' ? only.part.value : undefined;
}

/** Wire types (protobuf encoding, "Message Structure"). */
const VARINT = 0;
const BIT64 = 1;
const LENGTH_DELIMITED = 2;

function tag(field: number, wireType: number): number {
  return (field << 3) | wireType;
}

/** Begins a message within the message; `join` ends it. */
function begin(field: number): BinaryWriter {
  return writer.uint32(tag(field, LENGTH_DELIMITED)).fork();
}

function writeString(field: number, value: string): void {
  if (value !== '') writer.uint32(tag(field, LENGTH_DELIMITED)).string(value);
}

function writeInt(field: number, value: number): void {
  if (value !== 0) writer.uint32(tag(field, VARINT)).int32(value);
}

function writeOptionalInt(field: number, value: number | undefined): void {
  if (value !== undefined) writer.uint32(tag(field, VARINT)).int32(value);
}

function writeDouble(field: number, value: number): void {
  if (!Object.is(value, 0)) writer.uint32(tag(field, BIT64)).double(value);
}

function writeOptionalDouble(field: number, value: number | undefined): void {
  if (value !== undefined) writer.uint32(tag(field, BIT64)).double(value);
}
