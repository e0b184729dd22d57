import { create } from '@bufbuild/protobuf';
import type { DescMethod, MessageInitShape } from '@bufbuild/protobuf';
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
import type { LocalCallOptions, LocalCalls } from './local-calls.ts';

/**
 * LlmService in the same process. Requests are those of the contract, as plain objects; a call that fails throws a
 * ConnectError with the same code and details that a client gets. Wrong types, and options that are none, are INVALID_ARGUMENT
 * with their fields.
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

/** Makes a client that calls the handlers directly, without any door; `calls` checks what it is handed and knows what is under way. */
export function createLocalClient(handlers: ServiceImpl<typeof LlmService>, calls: LocalCalls): LocalClient {
  const { generate, chat, streamChat, health, listModels } = LlmService.method;
  const inContext = async <Response>(
    method: DescMethod,
    request: unknown,
    options: LocalCallOptions | undefined,
    run: (context: HandlerContext) => Promise<Response>,
  ): Promise<Response> => {
    const context = calls.begin(method, request, options);
    try {
      return await run(context);
    } finally {
      calls.finish(context);
    }
  };
  return {
    generate: (request, options) =>
      inContext(generate, request, options, async (context) =>
        create(GenerateResponseSchema, await handlers.generate(create(GenerateRequestSchema, request), context)),
      ),
    chat: (request, options) =>
      inContext(chat, request, options, async (context) =>
        create(ChatResponseSchema, await handlers.chat(create(ChatRequestSchema, request), context)),
      ),
    async *streamChat(request, options) {
      const context = calls.begin(streamChat, request, options);
      try {
        const events = handlers.streamChat(create(StreamChatRequestSchema, request), context);
        for await (const event of events) yield create(StreamChatResponseSchema, event);
      } finally {
        calls.finish(context);
      }
    },
    health: () =>
      inContext(health, {}, undefined, async (context) =>
        create(HealthResponseSchema, await handlers.health(create(HealthRequestSchema), context)),
      ),
    listModels: (request = {}) =>
      inContext(listModels, request, undefined, async (context) =>
        create(ListModelsResponseSchema, await handlers.listModels(create(ListModelsRequestSchema, request), context)),
      ),
  };
}
