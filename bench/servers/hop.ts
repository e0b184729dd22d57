import { Pool } from 'undici';
import type { Dispatcher } from 'undici';

import type { ScenarioName } from '../calls/scenarios.ts';

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

const BODIES = {
  chat: JSON.stringify({ model: 'bench-model', messages: [...MESSAGES, { role: 'user', content: 'ask-chat' }] }),
  open: streamBody('ask-open'),
  apart: streamBody('ask-apart'),
  joined: streamBody('ask-joined'),
  drip: streamBody('ask-drip'),
} as const satisfies Record<ScenarioName, string>;

const HEADERS = { 'content-type': 'application/json', authorization: 'Bearer bench', accept: 'application/json' };

function streamBody(content: string): string {
  return JSON.stringify({ model: 'bench-model', messages: [...MESSAGES, { role: 'user', content }], stream: true });
}

/** Makes the hop that the gateway makes too: one request with undici, the body read and thrown away. */
export function createHop(origin: string): (name: ScenarioName, handler: HopHandler) => void {
  const pool = new Pool(origin, {
    connections: 1024,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
  });
  return (name, handler) => {
    const dispatched: Dispatcher.DispatchHandler = {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, status) => {
        if (status !== 200) throw new Error('the upstream refuses the request');
      },
      onResponseData: () => handler.onPiece(),
      onResponseEnd: () => handler.onEnd(),
      onResponseError: (_controller, error) => handler.onError(error),
    };
    pool.dispatch({ path: '/v1/chat/completions', method: 'POST', headers: HEADERS, body: BODIES[name] }, dispatched);
  };
}
