import { create } from '@bufbuild/protobuf';
import type { ConnectError, HandlerContext, ServiceImpl } from '@connectrpc/connect';
import { MessageSchema, Role } from '../../../gen/understudy/v1/chat_pb.ts';
import {
  type ChatResponse,
  type GenerateRequest,
  type GenerateResponse,
  type LlmService,
  type StreamChatRequest,
} from '../../../gen/understudy/v1/llm_pb.ts';
import { Recovery } from '../../../gen/understudy/v1/routing_pb.ts';
import { type AnswerContext, type AnsweredCall, chatResponse, generateResponse } from '../answers/assembled-answer.ts';
import { CALLER } from '../port/caller-key.ts';
import type { GatewayPort, PlanRequest } from '../port/gateway-port.ts';
import { EventStream } from './event-stream.ts';
import { healthResponse } from '../health/provider-health.ts';
import { modelPage } from './model-pages.ts';
import { type HandlerOptions, identifyRequest, type RpcRequest, runRequest } from './run-request.ts';
import { asConnectError, callError } from '../errors/status.ts';
import { answerTooLarge } from '../errors/transfer-errors.ts';
import { fitAnswer } from '../answers/fit-answer.ts';
import { REQUEST_ID_HEADER } from '../port/limits.ts';
import { validateChat, validateGenerate } from '../validation/requests.ts';

/** Makes the implementation of LlmService, used unchanged by every door. */
export function createHandlers(gateway: GatewayPort, options: HandlerOptions): ServiceImpl<typeof LlmService> {
  const guarded = async <Response>(
    requestId: string,
    context: HandlerContext,
    run: () => Response | Promise<Response>,
  ): Promise<Response> => {
    try {
      return await run();
    } catch (thrown) {
      throw errorOf(thrown, requestId, context, options);
    }
  };
  const answerOnce = async <Response extends ChatResponse | GenerateResponse>(
    requestId: string,
    rpc: RpcRequest,
    context: HandlerContext,
    respond: (result: AnsweredCall, answer: AnswerContext) => Response,
  ): Promise<Response> => {
    try {
      const { result, answer } = await runRequest(gateway, options, rpc, context, {
        signal: context.signal,
        requestId,
      });
      const response = respond(result, answer);
      if (fitAnswer(response, options.maxMessageBytes ?? Infinity)) return response;
      const { attempts } = answer.trail;
      throw callError(answerTooLarge(), { requestId, random: options.random, attempts });
    } catch (thrown) {
      throw errorOf(thrown, requestId, context, options);
    }
  };
  return {
    generate(request, context) {
      const requestId = identifyRequest(gateway, context, request.requestId);
      const conversation = conversationOf(request);
      const rpc = { method: 'Generate', request, conversation, violations: validateGenerate(request) } as const;
      return answerOnce(requestId, rpc, context, generateResponse);
    },
    chat(request, context) {
      const requestId = identifyRequest(gateway, context, request.requestId);
      const rpc = { method: 'Chat', request, conversation: request, violations: validateChat(request) } as const;
      return answerOnce(requestId, rpc, context, chatResponse);
    },
    streamChat: (request, context) => streamChat(gateway, options, request, context),
    health(_request, context) {
      const requestId = identifyRequest(gateway, context);
      return guarded(requestId, context, () => healthResponse(gateway, context.values.get(CALLER)));
    },
    listModels(request, context) {
      const requestId = identifyRequest(gateway, context);
      const caller = context.values.get(CALLER);
      return guarded(requestId, context, () =>
        modelPage(gateway, request, { requestId, random: options.random }, caller),
      );
    },
  };
}

/**
 * Makes the error that ends a call. Over Connect and gRPC-Web the headers of the response go out with it, and have the id of the
 * request; gRPC may send the error alone.
 */
function errorOf(
  thrown: unknown,
  requestId: string,
  { protocolName }: HandlerContext,
  { random }: HandlerOptions,
): ConnectError {
  const error = asConnectError(thrown, true, { requestId, random });
  if (protocolName === 'connect' || protocolName === 'grpc-web') error.metadata.delete(REQUEST_ID_HEADER);
  return error;
}

/** Makes of a prompt the conversation that it stands for. */
function conversationOf(request: GenerateRequest): PlanRequest {
  const message = (role: Role, text: string) =>
    create(MessageSchema, { role, content: [{ part: { case: 'text', value: text } }] });
  const system = request.system === '' ? [] : [message(Role.SYSTEM, request.system)];
  const messages = [...system, message(Role.USER, request.prompt)];
  const { model, options, routing } = request;
  return { messages, model, options, routing, tools: [], toolChoice: undefined };
}

function streamChat(
  gateway: GatewayPort,
  options: HandlerOptions,
  request: StreamChatRequest,
  context: HandlerContext,
): EventStream {
  const requestId = identifyRequest(gateway, context, request.requestId);
  const rpc = { method: 'StreamChat', request, conversation: request, violations: validateChat(request) } as const;
  const recovery = request.recovery === Recovery.RESTART ? 'RESTART' : 'FAIL';
  return new EventStream({
    requestId,
    signal: context.signal,
    run: (client, signal) => runRequest(gateway, options, rpc, context, { signal, requestId, client, recovery }),
    errorOf: (thrown) => errorOf(thrown, requestId, context, options),
  });
}
