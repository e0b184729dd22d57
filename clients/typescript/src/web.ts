export { Code, ConnectError } from '@connectrpc/connect';
export { Accumulator, type CollectedAnswer } from './answers/accumulator.ts';
export type { AnswerStream } from './answers/answer-stream.ts';
export { collect } from './answers/collect.ts';
export {
  type DecodedError,
  decodeError,
  ERROR_DOMAIN,
  type ErrorReasonName,
  type FieldViolation,
  type QuotaViolation,
} from './answers/decode-error.ts';
export {
  assistantMessage,
  type Content,
  file,
  image,
  type MessageInit,
  type PartInit,
  systemMessage,
  text,
  toolCalls,
  toolMessage,
  userMessage,
} from './answers/messages.ts';
export { functionTool, jsonObject, jsonSchema, type Schema } from './answers/tools.ts';
export type { CallOptions } from './calls/call-options.ts';
export type { HeaderSource, HeaderValues, KeySource } from './calls/headers.ts';
export type { MethodName, Timeouts } from './client.ts';
export type { LlmClient } from './client.ts';
export { createLlmClient, type WebClientOptions as LlmClientOptions } from './web/web-client.ts';
export { CLIENT_VERSION } from './version.ts';
export * from '../gen/understudy/v1/chat_pb.js';
export * from '../gen/understudy/v1/error_pb.js';
export * from '../gen/understudy/v1/health_pb.js';
export * from '../gen/understudy/v1/llm_pb.js';
export * from '../gen/understudy/v1/routing_pb.js';
export * from '../gen/understudy/v1/usage_pb.js';
export * from '../gen/understudy/v1/usage_service_pb.js';
