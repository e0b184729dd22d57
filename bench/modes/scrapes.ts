import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';

import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { promptFor } from '../calls/asked.ts';
import type { ServerProcess } from '../servers/server-process.ts';

/** Scrapes of a round. */
const SCRAPES = 20;

/**
 * Calls each target of a gateway once, so that all have their series, and says what a scrape of its metrics costs then: the least of
 * some rounds, in CPU of the whole process.
 */
export async function measureScrapes(server: ServerProcess, rounds: number): Promise<string> {
  const client = createClient(LlmService, createGrpcTransport({ baseUrl: `http://127.0.0.1:${server.port}` }));
  const content = [{ part: { case: 'text', value: promptFor('chat') } }] as const;
  for (const target of server.targets ?? []) {
    await client.chat({ messages: [{ role: Role.USER, content: [...content] }], routing: { targets: [target] } });
  }
  let leastMs = Infinity;
  let size = 0;
  for (let round = 0; round <= rounds; round++) {
    const before = await server.ask({ ask: 'cpu' });
    for (let scrape = 0; scrape < SCRAPES; scrape++) {
      const answer = await fetch(`http://127.0.0.1:${server.adminPort}/metrics`);
      if (answer.status !== 200) throw new Error(`${server.name}: /metrics answers ${answer.status}`);
      size = (await answer.text()).length;
    }
    const after = await server.ask({ ask: 'cpu' });
    leastMs = Math.min(leastMs, (after.cpuMicros - before.cpuMicros) / 1_000 / SCRAPES);
  }
  return `${server.name}: a scrape of ${(size / 1_000).toFixed(0)} KB of metrics takes ${leastMs.toFixed(1)} ms of CPU, written and sent`;
}
