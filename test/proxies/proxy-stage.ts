import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { credentials } from '@grpc/grpc-js';

import type { ConfigInput } from '../../src/config/file/schema.ts';
import { createAuthority } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import type { RpcClient } from '../support/rpc-client.ts';
import { openRpcClient } from '../support/rpc-client.ts';
import type { UnderstudyProcess } from '../support/understudy-process.ts';
import { startUnderstudy } from '../support/understudy-process.ts';
import type { GatewayPorts } from './proxy-config.ts';
import { startProxy } from './proxy-process.ts';
import type { ProxyFolders, ProxyProgram } from './proxy-programs.ts';
import type { ToldUpstream } from './told-upstream.ts';
import { startToldUpstream, TOLD_MODELS } from './told-upstream.ts';
import type { WebClient } from './web-client.ts';
import { openWebClient } from './web-client.ts';

/** Clients of both doors, through a proxy. */
export interface ProxiedClients {
  readonly rpc: RpcClient;
  readonly web: WebClient;
  /** Of the gRPC door, without what a gRPC client does by itself. */
  readonly bare: WebClient;
}

/** Two gateways behind a proxy, with a provider that does as it is told. */
export interface ProxyStage extends ProxiedClients {
  readonly upstream: ToldUpstream;
  /** The gateways as they are now. */
  readonly gateways: readonly UnderstudyProcess[];
  /** Starts the gateway of an index anew, where it has ended. */
  startAgain(index: number): Promise<UnderstudyProcess>;
  /** Starts the proxy once more, in front of other gateways and with another patience, for the time of a run. */
  besides<T>(gateway: GatewayPorts, patienceS: number, run: (clients: ProxiedClients) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** What the gateways are told: every failure is final, and nothing but the proxy ends what is silent. */
export function proxiedConfig({ origin }: Pick<ToldUpstream, 'origin'>): ConfigInput {
  return {
    targets: [
      {
        name: 'lead',
        provider: 'openai',
        api: 'chat_completions',
        base_url: `${origin}/v1`,
        model: 'quick',
        models: [...TOLD_MODELS],
        timeouts: { first_output: '300s', progress: '300s' },
      },
    ],
    retry: { max_repeats: 0 },
    circuit_breaker: { failures: 1_000 },
    admission: { max_active: 1_000, max_share: 100 },
  };
}

/** Starts everything. */
export async function startProxyStage(
  proxy: ProxyProgram,
  program: string,
  { work }: Pick<ProxyFolders, 'work'>,
): Promise<ProxyStage> {
  await mkdir(work, { recursive: true });
  const authority = createAuthority();
  const identity = authority.issue('localhost');
  const { cert: ca } = authority;
  authority.remove();
  const certificate = join(work, 'tls.crt');
  await writeFile(certificate, identity.cert);
  await writeFile(join(work, 'tls.key'), identity.key);
  const upstream = await startToldUpstream();
  const config = join(work, 'understudy.json');
  await writeFile(config, JSON.stringify(proxiedConfig(upstream)));
  const ports = [await threePorts(), await threePorts()] as const;
  const start = async ({ grpc, web, admin }: GatewayPorts): Promise<UnderstudyProcess> => {
    const gateway = startUnderstudy(['--config', config], {
      UNDERSTUDY_GRPC_ADDRESS: `127.0.0.1:${grpc}`,
      UNDERSTUDY_HTTP_ADDRESS: `127.0.0.1:${web}`,
      UNDERSTUDY_ADMIN_ADDRESS: `127.0.0.1:${admin}`,
    });
    await gateway.doors;
    return gateway;
  };
  const gateways = await Promise.all(ports.map(start));
  let runs = 0;
  const open = async (places: { readonly gateways: readonly GatewayPorts[]; readonly patienceS?: number }) => {
    runs += 1;
    const running = await startProxy(proxy, program, join(work, `run-${runs}`), { ...places, certificate });
    const clients = {
      rpc: openRpcClient(running.grpc, credentials.createSsl(Buffer.from(ca))),
      web: openWebClient(running.web, ca),
      bare: openWebClient(running.grpc, ca),
    };
    const close = async (): Promise<void> => {
      clients.rpc.close();
      clients.web.close();
      clients.bare.close();
      await running.close();
    };
    return { clients, close };
  };
  const { clients, close } = await open({ gateways: ports });
  return {
    ...clients,
    upstream,
    gateways,
    startAgain: async (index) => {
      const gateway = await start(ports[index === 0 ? 0 : 1]);
      gateways[index] = gateway;
      return gateway;
    },
    besides: async (gateway, patienceS, run) => {
      const other = await open({ gateways: [gateway, gateway], patienceS });
      try {
        return await run(other.clients);
      } finally {
        await other.close();
      }
    },
    close: async () => {
      await close();
      await Promise.all(gateways.map((gateway) => gateway.close()));
      await upstream.close();
    },
  };
}

async function threePorts(): Promise<GatewayPorts> {
  return { grpc: await freePort(), web: await freePort(), admin: await freePort() };
}
