import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';

import type { JsonRecord } from '../../../src/providers/shared/json/value.ts';
import { asRecord, parseJson } from '../../../src/providers/shared/json/value.ts';
import type { CacheRule, PromptRead } from './prefix-cache.ts';
import { PrefixCache } from './prefix-cache.ts';
import type { Said } from './streamed-answers.ts';
import { streamedAnswer } from './streamed-answers.ts';

/** A provider that caches prompts as the real one does, over a real socket. */
export interface CachingUpstream {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  /** What was read of each prompt that was answered, in order. */
  readonly reads: readonly PromptRead[];
  /** Whether the next calls are refused as overload, which is not repeated. */
  isSick: boolean;
  close(): Promise<void>;
}

/**
 * Starts a provider on a free port of 127.0.0.1.
 * @param say what it says to a body
 */
export async function startCachingUpstream(rule: CacheRule, say: (body: JsonRecord) => Said): Promise<CachingUpstream> {
  const cache = new PrefixCache(rule);
  const reads: PromptRead[] = [];
  const state = { isSick: false };
  const server = createServer((request, response) => {
    void textOf(request).then((text) => {
      const path = request.url ?? '';
      if (state.isSick) {
        response.writeHead(503, { 'content-type': 'application/json', 'x-should-retry': 'false' });
        response.end('{"error":{"message":"busy","type":"server_error"}}');
        return;
      }
      const body = asRecord(parseJson(text)) ?? {};
      const read = cache.read(body, path);
      reads.push(read);
      const isLines = path.endsWith('/api/chat');
      response.writeHead(200, { 'content-type': isLines ? 'application/x-ndjson' : 'text/event-stream' });
      response.end(streamedAnswer(path, say(body), read));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    origin: `http://127.0.0.1:${port}`,
    reads,
    get isSick() {
      return state.isSick;
    },
    set isSick(value) {
      state.isSick = value;
    },
    close: async () => {
      server.closeAllConnections();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString('utf8');
}
