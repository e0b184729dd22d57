import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  type Message,
  type MessageSchema,
  type PartSchema,
  Role,
  type ToolCall,
} from '../../gen/understudy/v1/chat_pb.js';

/** A message to send: a plain object or one that `create` made. */
export type MessageInit = MessageInitShape<typeof MessageSchema>;

/** A part of a message to send: a plain object or one that `create` made. */
export type PartInit = MessageInitShape<typeof PartSchema>;

/** What a message says: text, or parts. */
export type Content = string | readonly PartInit[];

/** Makes a part of text. */
export function text(value: string): PartInit {
  return { part: { case: 'text', value } };
}

/** Makes a part that is an image: an https address, or bytes with their media type, such as `image/png`. */
export function image(source: string): PartInit;
export function image(source: Uint8Array, mediaType: string): PartInit;
export function image(source: string | Uint8Array, mediaType = ''): PartInit {
  const from =
    typeof source === 'string'
      ? { case: 'url' as const, value: source }
      : { case: 'data' as const, value: bytes(source) };
  return { part: { case: 'image', value: { source: from, mediaType } } };
}

/** Makes a part that is a file, such as a PDF: bytes with their media type. */
export function file(data: Uint8Array, mediaType: string, filename = ''): PartInit {
  return { part: { case: 'file', value: { data: bytes(data), mediaType, filename } } };
}

/** Makes a message of the application: instructions. */
export function systemMessage(content: Content): MessageInit {
  return { role: Role.SYSTEM, content: partsOf(content) };
}

/** Makes a message of the user. */
export function userMessage(content: Content): MessageInit {
  return { role: Role.USER, content: partsOf(content) };
}

/** Makes a message of the model. An answer that came from the gateway is better sent back as it is. */
export function assistantMessage(content: Content): MessageInit {
  return { role: Role.ASSISTANT, content: partsOf(content) };
}

/** Makes the message that answers one tool call, which is given as it came or by its id. */
export function toolMessage(call: string | Pick<ToolCall, 'id'>, content: Content, isError = false): MessageInit {
  const toolCallId = typeof call === 'string' ? call : call.id;
  const value = { toolCallId, content: partsOf(content), isError };
  return { role: Role.TOOL, content: [{ part: { case: 'toolResult', value } }] };
}

/** Returns the tool calls of an answer, in their order. */
export function toolCalls({ content }: Pick<Message, 'content'>): ToolCall[] {
  return content.flatMap(({ part }) => (part.case === 'toolCall' ? [part.value] : []));
}

/** Bytes of a buffer that nobody shares, as protobuf has them. */
function bytes(data: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(data);
}

function partsOf(content: Content): PartInit[] {
  return typeof content === 'string' ? [text(content)] : [...content];
}
