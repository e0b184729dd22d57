import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import type { MessageSchema, PartSchema, ToolSchema } from '../../gen/understudy/v1/chat_pb.ts';
import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import { ChatRequestSchema } from '../../gen/understudy/v1/llm_pb.ts';
import type { Chat } from '../../src/providers/port/adapter.ts';
import { say } from './chat-samples.ts';

type MessageInit = MessageInitShape<typeof MessageSchema>;

/** A part of a message, as tests write it. */
export type PartInit = MessageInitShape<typeof PartSchema>;

/** Makes a request with more than options. */
export function request(init: MessageInitShape<typeof ChatRequestSchema>): Chat {
  return create(ChatRequestSchema, { messages: [say(Role.USER, 'Hi')], ...init });
}

/** Makes a tool; without a schema it takes no arguments. */
export function tool(
  name: string,
  more: { description?: string; parametersJson?: string; strict?: boolean } = {},
): MessageInitShape<typeof ToolSchema> {
  return { kind: { case: 'function', value: { name, ...more } } };
}

/** Makes a text part. */
export function text(value: string, more: Omit<PartInit, 'part' | '$typeName' | '$unknown'> = {}): PartInit {
  return { part: { case: 'text', value }, ...more };
}

/** Makes a part of reasoning with its state. */
export function thought(value: string, target: string, state: unknown): PartInit {
  const data = new TextEncoder().encode(JSON.stringify(state));
  return { part: { case: 'reasoning', value: { text: value } }, providerState: { target, data } };
}

/** Makes a call of a tool. */
export function call(id: string, name: string, argumentsJson = '{}'): PartInit {
  return { part: { case: 'toolCall', value: { id, name, argumentsJson } } };
}

/** Makes the message with the result of a call. */
export function result(toolCallId: string, content: PartInit[], isError = false): MessageInit {
  return { role: Role.TOOL, content: [{ part: { case: 'toolResult', value: { toolCallId, content, isError } } }] };
}

/** Makes a message of any parts. */
export function message(role: Role, ...content: PartInit[]): MessageInit {
  return { role, content };
}

/** Three bytes; `AQID` in base64. */
const BYTES = new Uint8Array([1, 2, 3]);

/** An image of bytes. */
export const PNG: PartInit = {
  part: { case: 'image', value: { source: { case: 'data', value: BYTES }, mediaType: 'image/png' } },
};

/** An image elsewhere. */
export const LINKED: PartInit = {
  part: { case: 'image', value: { source: { case: 'url', value: 'https://example.com/a.png' } } },
};

/** Makes a file. */
export function file(mediaType: string, filename = ''): PartInit {
  return { part: { case: 'file', value: { data: BYTES, mediaType, filename } } };
}
