import { once } from 'node:events';
import { createServer } from 'node:http';

import { onTestFinished } from 'vitest';

import type { JsonRecord } from '../../src/providers/shared/json/value.ts';
import { asRecord, parseJson, recordsOf } from '../../src/providers/shared/json/value.ts';

/** What a judging server answers: a whole JSON body, or the data of events. */
export type Judgement =
  | { readonly status: number; readonly json: unknown }
  | { readonly events: readonly (JsonRecord | string)[] };

/** A server that looks at each request before it answers, as strict servers do. */
export interface JudgingServer {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  /** The bodies that came, in order. */
  readonly bodies: readonly JsonRecord[];
}

/** Starts a judging server that ends with the test. */
export async function judgingServer(judge: (body: JsonRecord) => Judgement): Promise<JudgingServer> {
  const bodies: JsonRecord[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of request) chunks.push(Buffer.from(chunk));
      const body = asRecord(parseJson(Buffer.concat(chunks).toString('utf8'))) ?? {};
      if (request.method === 'POST') bodies.push(body);
      const judgement: Judgement = request.method === 'POST' ? judge(body) : { status: 404, json: {} };
      if ('json' in judgement) {
        response.writeHead(judgement.status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(judgement.json));
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const event of judgement.events) {
        response.write(`data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`);
      }
      response.end();
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  onTestFinished(async () => {
    const done = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await done;
  });
  return { origin: `http://127.0.0.1:${address.port}`, bodies };
}

/** A refusal in the form of OpenAI's. */
export function refusal(status: number, error: JsonRecord): Judgement {
  return { status, json: { error } };
}

/** An answer of Chat Completions, streamed where the request asks for it. */
export function said(body: JsonRecord, message: JsonRecord, finishReason = 'stop'): Judgement {
  const head = { id: 'c-1', created: 7, model: 'served' };
  const usage = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 };
  if (body['stream'] !== true) {
    const choices = [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finishReason }];
    return { status: 200, json: { ...head, object: 'chat.completion', choices, usage } };
  }
  const chunk = (delta: JsonRecord, finish: string | null): JsonRecord => ({
    ...head,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  const calls = recordsOf(message['tool_calls']);
  const delta =
    calls.length === 0
      ? message
      : { ...message, tool_calls: calls.map((call, index) => Object.assign({ index }, call)) };
  return { events: [chunk({ role: 'assistant', ...delta }, null), chunk({}, finishReason), '[DONE]'] };
}
