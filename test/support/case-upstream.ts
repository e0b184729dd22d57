import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';

import type { CaseAnswer } from './case-files.ts';
import { listenOnLoopback } from './listening.ts';

/** A request for an answer as it came. */
export interface CaseRequest {
  readonly path: string;
  /** The body, parsed. */
  readonly body: unknown;
}

/** Answers a request, given its body. */
export type CaseAnswerer = (body: unknown) => CaseAnswer;

/** A server that answers as real servers were seen to. */
export interface CaseServer {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  /** What was asked below a prefix, in order. */
  requestsBelow(prefix: string): readonly CaseRequest[];
  /** Answers what is asked for below a prefix, such as `/case/`. */
  route(prefix: string, answerer: CaseAnswerer): void;
  close(): Promise<void>;
}

/** Where answers are asked for; all else, such as lists of models, is not found. */
const ANSWER_PATHS = /\/(chat\/completions|responses|messages|api\/chat)$/;

/** What a healthy Chat Completions server answers. */
export const BACKUP_ANSWER: CaseAnswer = chatAnswer('BACKUP');

/** An answer of Chat Completions with a text. */
export function chatAnswer(content: string): CaseAnswer {
  const message = { role: 'assistant', content };
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      id: 'c1',
      object: 'chat.completion',
      created: 1,
      model: 'backup-model',
      choices: [{ index: 0, message, finish_reason: 'stop' }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    }),
  };
}

/** Starts a server on a free port of 127.0.0.1. */
export async function startCaseServer(): Promise<CaseServer> {
  const routes: { readonly prefix: string; readonly answerer: CaseAnswerer; readonly requests: CaseRequest[] }[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const pieces: Uint8Array[] = [];
      for await (const piece of request) pieces.push(Buffer.from(piece));
      const path = request.url ?? '';
      const route = routes.find(({ prefix }) => path.startsWith(prefix));
      if (route === undefined || !ANSWER_PATHS.test(path)) {
        response.writeHead(404).end();
        return;
      }
      const body: unknown = JSON.parse(Buffer.concat(pieces).toString('utf8'));
      route.requests.push({ path, body });
      await send(response, route.answerer(body));
    })();
  });
  const { origin, close } = await listenOnLoopback(server);
  return {
    origin,
    requestsBelow: (prefix) => routes.find((route) => route.prefix === prefix)?.requests ?? [],
    route: (prefix, answerer) => void routes.push({ prefix, answerer, requests: [] }),
    close,
  };
}

/** Sends an answer as it stands: chunks one by one, each when the one before is out. */
async function send(response: ServerResponse, { status, headers, body, chunks }: CaseAnswer): Promise<void> {
  response.writeHead(status, headers);
  if (chunks === undefined) {
    response.end(body);
    return;
  }
  for (const chunk of chunks) {
    await new Promise<void>((resolve) => response.write(chunk, () => setImmediate(resolve)));
  }
  response.end();
}
