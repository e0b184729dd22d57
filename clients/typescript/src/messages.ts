import type { MessageInitShape } from '@bufbuild/protobuf';
import { type MessageSchema, type PartSchema, Role } from '../gen/understudy/v1/chat_pb.js';

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

/** Makes the message that answers one tool call, the id being that of the call. */
export function toolMessage(toolCallId: string, content: Content, isError = false): MessageInit {
  const value = { toolCallId, content: partsOf(content), isError };
  return { role: Role.TOOL, content: [{ part: { case: 'toolResult', value } }] };
}

function partsOf(content: Content): PartInit[] {
  return typeof content === 'string' ? [text(content)] : [...content];
}
