import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';

import { ROLE_EVENT, STREAM_END, textEvent } from '../../support/openai-bodies.ts';
import { listenOnLoopback } from '../../support/listening.ts';

/** A provider that streams words steadily and notes when its callers hang up. */
export interface WordsUpstream {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  /** When answers were aborted, by `performance.now()`, in their order. */
  readonly abortedAtMs: readonly number[];
  /** Answers under way. */
  openCalls(): number;
  close(): Promise<void>;
}

const GAP_MS = 50;
const WORDS = 1_200;

/** Starts one: a word every 50 ms, for a minute. */
export async function startWordsUpstream(): Promise<WordsUpstream> {
  const abortedAtMs: number[] = [];
  const open = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    request.resume();
    response.on('error', () => undefined);
    open.add(response);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(ROLE_EVENT);
    let said = 0;
    const timer = setInterval(() => {
      said += 1;
      if (said <= WORDS) response.write(textEvent(`word${said} `));
      else {
        clearInterval(timer);
        response.end(STREAM_END);
      }
    }, GAP_MS);
    response.once('close', () => {
      clearInterval(timer);
      open.delete(response);
      if (!response.writableFinished) abortedAtMs.push(performance.now());
    });
  });
  const { origin, close } = await listenOnLoopback(server);
  return {
    origin,
    abortedAtMs,
    openCalls: () => open.size,
    close,
  };
}
