import type { CallEnd } from '../../server/port/gateway-port.ts';

const RPC_METHODS = {
  Generate: 'understudy.v1.LlmService/Generate',
  Chat: 'understudy.v1.LlmService/Chat',
  StreamChat: 'understudy.v1.LlmService/StreamChat',
} as const satisfies Record<CallEnd['method'], string>;

/** Returns the value of `rpc.method` for a method of ours. */
export function rpcMethod(method: CallEnd['method']): string {
  return RPC_METHODS[method];
}
