import { create } from '@bufbuild/protobuf';
import type { DescMethod, MessageInitShape } from '@bufbuild/protobuf';
import { createHandlerContext } from '@connectrpc/connect';
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';

import {
  ChatRequestSchema,
  ChatResponseSchema,
  GenerateRequestSchema,
  GenerateResponseSchema,
  HealthRequestSchema,
  HealthResponseSchema,
  ListModelsRequestSchema,
  ListModelsResponseSchema,
  LlmService,
  StreamChatRequestSchema,
  StreamChatResponseSchema,
} from '../../../gen/understudy/v1/llm_pb.ts';
import type {
  ChatResponse,
  GenerateResponse,
  HealthResponse,
  ListModelsResponse,
  StreamChatResponse,
} from '../../../gen/understudy/v1/llm_pb.ts';

/** What a call may bring along. */
export interface LocalCallOptions {
  /** Aborts the call and with it the provider's. */
  readonly signal?: AbortSignal;
  /** The deadline of the call in milliseconds; default 600,000. */
  readonly timeoutMs?: number;
}

/**
 * LlmService in the same process. Requests are those of the contract, as plain objects; a call that fails throws a
 * ConnectError with the same code and details that a client gets.
 */
export interface LocalClient {
  generate(
    request: MessageInitShape<typeof GenerateRequestSchema>,
    options?: LocalCallOptions,
  ): Promise<GenerateResponse>;
  chat(request: MessageInitShape<typeof ChatRequestSchema>, options?: LocalCallOptions): Promise<ChatResponse>;
  /** Leaving the loop early aborts the provider's call in the same turn. */
  streamChat(
    request: MessageInitShape<typeof StreamChatRequestSchema>,
    options?: LocalCallOptions,
  ): AsyncGenerator<StreamChatResponse, void, undefined>;
  health(): Promise<HealthResponse>;
  listModels(request?: MessageInitShape<typeof ListModelsRequestSchema>): Promise<ListModelsResponse>;
}

/** Makes a client that calls the handlers directly, without any door. */
export function createLocalClient(handlers: ServiceImpl<typeof LlmService>): LocalClient {
  const { generate, chat, streamChat, health, listModels } = LlmService.method;
  return {
    generate: (request, options) =>
      inContext(generate, options, async (context) =>
        create(GenerateResponseSchema, await handlers.generate(create(GenerateRequestSchema, request), context)),
      ),
    chat: (request, options) =>
      inContext(chat, options, async (context) =>
        create(ChatResponseSchema, await handlers.chat(create(ChatRequestSchema, request), context)),
      ),
    async *streamChat(request, options) {
      const context = contextOf(streamChat, options);
      try {
        const events = handlers.streamChat(create(StreamChatRequestSchema, request), context);
        for await (const event of events) yield create(StreamChatResponseSchema, event);
      } finally {
        context.abort();
      }
    },
    health: () =>
      inContext(health, undefined, async (context) =>
        create(HealthResponseSchema, await handlers.health(create(HealthRequestSchema), context)),
      ),
    listModels: (request = {}) =>
      inContext(listModels, undefined, async (context) =>
        create(ListModelsResponseSchema, await handlers.listModels(create(ListModelsRequestSchema, request), context)),
      ),
  };
}

async function inContext<Response>(
  method: DescMethod,
  options: LocalCallOptions | undefined,
  run: (context: HandlerContext) => Promise<Response>,
): Promise<Response> {
  const context = contextOf(method, options);
  try {
    return await run(context);
  } finally {
    context.abort();
  }
}

function contextOf(method: DescMethod, { signal, timeoutMs }: LocalCallOptions = {}) {
  return createHandlerContext({
    service: LlmService,
    method,
    protocolName: 'local',
    requestMethod: 'POST',
    url: `local:/${LlmService.typeName}/${method.name}`,
    ...(signal && { requestSignal: signal }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
}
