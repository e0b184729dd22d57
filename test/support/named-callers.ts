import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';

import type { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import type { Caller } from '../../src/callers/port/caller.ts';
import { CALLER } from '../../src/server/port/caller-key.ts';

type Handlers = ServiceImpl<typeof LlmService>;

/** Makes handlers take each call for one of the caller whom the header `x-request-id` names; without one for the first. */
export function asNamed(handlers: Handlers, callers: readonly Caller[]): Handlers {
  const named = <Request, Answer>(handle: (request: Request, context: HandlerContext) => Answer) => {
    return (request: Request, context: HandlerContext): Answer => {
      const name = context.requestHeader.get('x-request-id');
      context.values.set(
        CALLER,
        callers.find((caller) => name === null || caller.name === name),
      );
      return handle(request, context);
    };
  };
  return {
    generate: named((request, context) => handlers.generate(request, context)),
    chat: named((request, context) => handlers.chat(request, context)),
    streamChat: named((request, context) => handlers.streamChat(request, context)),
    health: named((request, context) => handlers.health(request, context)),
    listModels: named((request, context) => handlers.listModels(request, context)),
  };
}
