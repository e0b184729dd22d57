import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import type {
  GenerationOptionsSchema,
  Part,
  MessageSchema,
  PartSchema,
  ToolChoiceSchema,
  ToolSchema,
} from '../../gen/understudy/v1/chat_pb.ts';
import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import { ChatRequestSchema } from '../../gen/understudy/v1/llm_pb.ts';
import type { Chat } from '../../src/providers/port/adapter.ts';

/** A part, as far as a test says it. */
export type PartInit = Exclude<MessageInitShape<typeof PartSchema>, Part>;
/** A message, as far as a test says it. */
export type MessageInit = MessageInitShape<typeof MessageSchema>;

/** What a request has besides its messages. */
export interface ChatExtras {
  readonly options?: MessageInitShape<typeof GenerationOptionsSchema>;
  readonly tools?: MessageInitShape<typeof ToolSchema>[];
  readonly toolChoice?: MessageInitShape<typeof ToolChoiceSchema>;
}

/** Makes a request. */
export function requestOf(messages: MessageInit[], extras: ChatExtras = {}): Chat {
  return create(ChatRequestSchema, { messages, ...extras });
}

/** Makes a message of the user. */
export function user(...content: readonly (PartInit | string)[]): MessageInit {
  return { role: Role.USER, content: content.map((part) => (typeof part === 'string' ? text(part) : part)) };
}

/** Makes a message of the assistant. */
export function assistant(...content: readonly (PartInit | string)[]): MessageInit {
  return { ...user(...content), role: Role.ASSISTANT };
}

/** Makes a message with results of tools. */
export function results(...content: readonly PartInit[]): MessageInit {
  return { role: Role.TOOL, content: [...content] };
}

/** Makes a text. */
export function text(value: string): PartInit {
  return { part: { case: 'text', value } };
}

/** Makes an image of bytes. */
export function image(data: Uint8Array, mediaType = 'image/png'): PartInit {
  return { part: { case: 'image', value: { source: { case: 'data', value: data }, mediaType } } };
}

/** Makes an image of an address. */
export function imageAt(url: string): PartInit {
  return { part: { case: 'image', value: { source: { case: 'url', value: url } } } };
}

/** Makes a file. */
export function file(data: Uint8Array, mediaType: string, filename = ''): PartInit {
  return { part: { case: 'file', value: { data, mediaType, filename } } };
}

/** Makes a reasoning; with a state of the target where one is given. */
export function reasoning(value: string, target?: string, state?: unknown): PartInit {
  return {
    part: { case: 'reasoning', value: { text: value } },
    ...(target !== undefined && { providerState: { target, data: bytes(JSON.stringify(state)) } }),
  };
}

/** Makes a call of a tool. */
export function call(id: string, name: string, argumentsJson = ''): PartInit {
  return { part: { case: 'toolCall', value: { id, name, argumentsJson } } };
}

/** Makes the result of a call. */
export function result(toolCallId: string, content: readonly (PartInit | string)[], isError = false): PartInit {
  const parts = content.map((part) => (typeof part === 'string' ? text(part) : part));
  return { part: { case: 'toolResult', value: { toolCallId, content: parts, isError } } };
}

/** Makes a function. */
export function tool(name: string, parametersJson = '', more: { description?: string; strict?: boolean } = {}) {
  return { kind: { case: 'function' as const, value: { name, parametersJson, ...more } } };
}

/** Marks a part as a place up to which the prompt is worth caching. */
export function cached(part: PartInit): PartInit {
  return { ...part, cacheBreakpoint: true };
}

/** Returns the UTF-8 bytes of a text. */
export function bytes(value: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(value);
}
