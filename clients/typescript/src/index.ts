export { Code, ConnectError } from '@connectrpc/connect';
export type { CallOptions } from './call-options.ts';
export { createLlmClient, type LlmClient, type LlmClientOptions, type MethodName, type TlsOptions } from './client.ts';
export { type CollectedAnswer, collect } from './collect.ts';
export {
  type DecodedError,
  decodeError,
  ERROR_DOMAIN,
  type ErrorReasonName,
  type FieldViolation,
  type QuotaViolation,
} from './decode-error.ts';
export type { HeaderSource, HeaderValues } from './headers.ts';
export {
  assistantMessage,
  type Content,
  type MessageInit,
  type PartInit,
  systemMessage,
  text,
  toolMessage,
  userMessage,
} from './messages.ts';
export * from '../gen/understudy/v1/chat_pb.js';
export * from '../gen/understudy/v1/error_pb.js';
export * from '../gen/understudy/v1/health_pb.js';
export * from '../gen/understudy/v1/llm_pb.js';
export * from '../gen/understudy/v1/routing_pb.js';
export * from '../gen/understudy/v1/usage_pb.js';
