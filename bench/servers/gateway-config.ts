import type { ServerProcess } from './server-process.ts';

/** Where a server of this machine answers HTTP. */
export function originOf({ port }: Pick<ServerProcess, 'port'>): string {
  return `http://127.0.0.1:${port}`;
}

/** The one target of the gateway, at the upstream. */
export function gatewayTargets(upstream: Pick<ServerProcess, 'port'>): readonly [object] {
  return [
    {
      name: 'bench',
      provider: 'openai',
      base_url: `${originOf(upstream)}/v1`,
      api_key: 'bench',
      api: 'chat_completions',
      model: 'bench-model',
      // Streams that are held say nothing for longer than an answer may.
      timeouts: { progress: '600s' },
      prices: [{ model: 'bench-model', input: '2.00', cached_input: '0.20', cache_write: '2.50', output: '10.00' }],
    },
  ];
}

/** The configuration of a gateway with one target, at the upstream, and every default. */
export function gatewayConfig(
  upstream: Pick<ServerProcess, 'port'>,
  ports: { grpc: number; web: number; admin: number },
): object {
  return {
    targets: gatewayTargets(upstream),
    server: {
      grpc_address: `127.0.0.1:${ports.grpc}`,
      http_address: `127.0.0.1:${ports.web}`,
      admin_address: `127.0.0.1:${ports.admin}`,
    },
  };
}
