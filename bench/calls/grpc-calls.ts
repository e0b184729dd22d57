import { API_KEY } from '../servers/accounts.ts';
import type { Calls } from './doors.ts';
import { frame } from './frames.ts';
import { GrpcConnection } from './grpc-connection.ts';
import { KnownEnds } from './http2/known-ends.ts';
import { encodeRequests } from './http2/request-blocks.ts';
import type { Scenario } from './scenarios.ts';

/** Opens connections over which calls go in turn. */
export async function openGrpcCalls(port: number, scenario: Scenario, connections: number): Promise<Calls> {
  const blocks = encodeRequests({
    ':method': 'POST',
    ':scheme': 'http',
    ':path': scenario.path,
    ':authority': `127.0.0.1:${port}`,
    'content-type': 'application/grpc+proto',
    te: 'trailers',
    authorization: `Bearer ${API_KEY}`,
    'grpc-timeout': '30S',
  });
  const request = { port, scenario, blocks, body: frame(scenario.body.proto), ends: new KnownEnds() };
  const all = Array.from({ length: connections }, () => new GrpcConnection(request));
  await Promise.all(all.map((connection) => connection.opened));
  let next = 0;
  return {
    connections,
    call: (caller) => all[next++ % all.length]?.call(caller),
    close: () => {
      for (const connection of all) connection.close();
    },
  };
}
