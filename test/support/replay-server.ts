import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

import { mulberry32 } from './virtual-runtime.ts';
import { listenOnLoopback } from './listening.ts';

/** A recorded answer of a provider. */
export interface Recording {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A request as it came. */
export interface ReplayRequest {
  readonly method: string;
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<IncomingMessage['headers']>;
  readonly body: string;
}

/** A server that answers with recordings, their bodies cut where a seed says. */
export interface ReplayServer {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  readonly requests: readonly ReplayRequest[];
  /** Answers the next request with a recording, before any route. */
  enqueue(recording: Recording): void;
  /** Answers every request with such a path with a recording; of several prefixes that fit, the longest counts. */
  route(pathPrefix: string, recording: Recording): void;
  close(): Promise<void>;
}

/** Starts a replay server on a free port of 127.0.0.1. What no recording answers gets a 404. */
export async function startReplayServer(options: { readonly seed?: number } = {}): Promise<ReplayServer> {
  const random = mulberry32(options.seed ?? 1);
  const queue: Recording[] = [];
  const routes: [string, Recording][] = [];
  const requests: ReplayRequest[] = [];
  const choose = (path: string): Recording | undefined =>
    queue.shift() ?? routes.filter(([prefix]) => path.startsWith(prefix)).sort(byLength)[0]?.[1];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of request) chunks.push(Buffer.from(chunk));
      const { method = '', url: path = '', headers } = request;
      requests.push({ method, path, headers, body: Buffer.concat(chunks).toString('utf8') });
      await replay(response, choose(path) ?? { status: 404, headers: {}, body: '' }, random);
    })();
  });
  const { origin, close } = await listenOnLoopback(server);
  return {
    origin,
    requests,
    enqueue: (recording) => void queue.push(recording),
    route: (pathPrefix, recording) => void routes.push([pathPrefix, recording]),
    close,
  };
}

/** Cuts bytes at random places into pieces of 1 to `longest` bytes. */
export function cutBytes(bytes: Uint8Array, random: () => number, longest = 200): readonly Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let from = 0; from < bytes.length;) {
    const to = Math.min(bytes.length, from + 1 + Math.floor(random() * longest));
    pieces.push(bytes.subarray(from, to));
    from = to;
  }
  return pieces;
}

async function replay(response: ServerResponse, recording: Recording, random: () => number): Promise<void> {
  response.writeHead(recording.status, recording.headers);
  for (const piece of cutBytes(Buffer.from(recording.body), random)) {
    // Each piece is an HTTP chunk of its own, so that TCP cannot join what was cut.
    await new Promise<void>((resolve) => response.write(piece, () => resolve()));
  }
  response.end();
}

function byLength([one]: readonly [string, Recording], [other]: readonly [string, Recording]): number {
  return other.length - one.length;
}
