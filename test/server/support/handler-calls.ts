import { ConnectError, createHandlerContext, type HandlerContext } from '@connectrpc/connect';
import { ErrorInfoSchema } from '../../../gen/google/rpc/error_details_pb.ts';
import { LlmService } from '../../../gen/understudy/v1/llm_pb.ts';
import type { GatewayPort } from '../../../src/server/port/gateway-port.ts';
import { createHandlers } from '../../../src/server/handlers/rpc-handlers.ts';
import { fakeGateway, type Run } from './fake-gateway.ts';

type Context = HandlerContext & { abort(reason?: unknown): void };

/** The context of a call, as a door makes it. */
export function context(headers: Record<string, string> = {}, timeoutMs?: number): Context {
  return createHandlerContext({
    service: LlmService,
    method: LlmService.method.chat,
    protocolName: 'grpc',
    requestMethod: 'POST',
    url: 'http://localhost/',
    requestHeader: headers,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
}

export function handlersOf(run: Run, changes: Partial<GatewayPort> = {}) {
  const gateway = fakeGateway(run, changes);
  return { gateway, handlers: createHandlers(gateway, { random: () => 0.5 }) };
}

/** The error that a call ends with. */
export async function errorOf(promise: unknown): Promise<ConnectError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ConnectError) return error;
  }
  throw new Error('there was no ConnectError');
}

export const reasonOf = (error: ConnectError): string | undefined => error.findDetails(ErrorInfoSchema)[0]?.reason;
