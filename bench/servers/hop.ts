import { Pool } from 'undici';
import type { Dispatcher } from 'undici';

import { promptFor } from '../calls/asked.ts';

/** What a server without an engine makes of an answer. */
export interface HopHandler {
  /** Called for each piece of the body; the upstream sends one for each event. */
  onPiece(): void;
  onEnd(): void;
  onError(error: Error): void;
}

const MESSAGES = [
  {
    role: 'system',
    content: 'You are the assistant of a travel agency. Answer briefly, and name your sources. '.repeat(3),
  },
];

/** A request of fewer bytes than this has the usual prompt. */
const USUAL_BYTES = 1_000;

const HEADERS = { 'content-type': 'application/json', authorization: 'Bearer bench', accept: 'application/json' };

const made = new Map<string, string>();

/** The body for what is asked for, made once; of a long request as long. */
function bodyFor(key: string, requestBytes: number): string {
  const bytes = requestBytes > USUAL_BYTES ? requestBytes : 0;
  const name = `${key} ${bytes}`;
  const body = made.get(name) ?? bodyOf(key, bytes);
  made.set(name, body);
  return body;
}

function bodyOf(key: string, bytes: number): string {
  const content = `${promptFor(key)}${'word '.repeat(bytes / 5)}`;
  const messages = [...MESSAGES, { role: 'user', content }];
  return JSON.stringify({ model: 'bench-model', messages, ...(!key.startsWith('chat') && { stream: true }) });
}

/** Makes the hop that the gateway makes too: one request with undici, as long as the one that it is given, the answer read and thrown away. */
export function createHop(origin: string): (key: string, requestBytes: number, handler: HopHandler) => void {
  const pool = new Pool(origin, {
    connections: 1024,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
  });
  return (key, requestBytes, handler) => {
    const dispatched: Dispatcher.DispatchHandler = {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, status) => {
        if (status !== 200) throw new Error('the upstream refuses the request');
      },
      onResponseData: () => handler.onPiece(),
      onResponseEnd: () => handler.onEnd(),
      onResponseError: (_controller, error) => handler.onError(error),
    };
    pool.dispatch(
      { path: '/v1/chat/completions', method: 'POST', headers: HEADERS, body: bodyFor(key, requestBytes) },
      dispatched,
    );
  };
}
