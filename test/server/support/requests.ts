import { create, type MessageInitShape, type UnknownEnum } from '@bufbuild/protobuf';
import { type Message, MessageSchema, type Part, PartSchema, Role } from '../../../gen/understudy/v1/chat_pb.ts';
import { type ChatRequest, ChatRequestSchema } from '../../../gen/understudy/v1/llm_pb.ts';

export function text(value: string): Part {
  return create(PartSchema, { part: { case: 'text', value } });
}

export function say(role: Role, ...content: (string | Part)[]): Message {
  return create(MessageSchema, {
    role,
    content: content.map((part) => (typeof part === 'string' ? text(part) : part)),
  });
}

export function toolCall(id: string, name = 'look'): Part {
  return create(PartSchema, { part: { case: 'toolCall', value: { id, name, argumentsJson: '{}' } } });
}

export function toolResult(toolCallId: string, ...content: Part[]): Part {
  return create(PartSchema, { part: { case: 'toolResult', value: { toolCallId, content } } });
}

/** A request that is valid unless a test spoils it. */
export function chat(changes: MessageInitShape<typeof ChatRequestSchema> = {}): ChatRequest {
  return create(ChatRequestSchema, { messages: [say(Role.USER, 'hello')], ...changes });
}

/** A value of an enum that this version of the contract does not know. */
export function ofTheFuture(value: number): UnknownEnum {
  return value as UnknownEnum;
}
