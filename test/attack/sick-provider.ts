import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';

import { listenOnLoopback } from '../support/listening.ts';
import { ROLE_EVENT, STREAM_END, textEvent } from '../support/openai-bodies.ts';
import type { SickCalls } from './attacked-process.ts';

const MIB = 1024 * 1024;
const JSON_TYPE = { 'content-type': 'application/json' };
const STREAM_TYPE = { 'content-type': 'text/event-stream' };

/** The ways in which it answers, by name. Each is bounded. */
export const SICK_ANSWERS = {
  redirect: (response) => response.writeHead(307, { location: '/elsewhere' }).end(),
  'body over the limit': (response) => {
    response.writeHead(200, JSON_TYPE);
    pour(response, Buffer.alloc(MIB, ' '), 80);
  },
  'event over the limit': (response) => {
    response.writeHead(200, STREAM_TYPE);
    response.write('data: ');
    pour(response, Buffer.alloc(MIB, 'x'), 80);
  },
  bomb: (response) => {
    response.writeHead(200, { ...JSON_TYPE, 'content-encoding': 'gzip' });
    response.end(BOMB);
  },
  'many headers': (response) => {
    const value = 'x'.repeat(8_000);
    response.writeHead(
      200,
      Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`x-header-${index}`, value])),
    );
    response.end('{}');
  },
  'deep JSON': (response) => response.writeHead(200, JSON_TYPE).end('['.repeat(5 * MIB)),
  'deep event': (response) => response.writeHead(200, STREAM_TYPE).end(`data: ${'['.repeat(MIB)}\n\n`),
  'wrong type': (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
} as const satisfies Record<string, (response: ServerResponse) => unknown>;

/** Answers that are good but large, by name: their text is half of what the gateway sends, where it stands twice. */
const LARGE_ANSWERS = {
  '5 MiB of text': (response) => say(response, 5),
  '12 MiB of text': (response) => say(response, 12),
} as const satisfies Record<string, (response: ServerResponse) => unknown>;

const BOMB = gzipSync(Buffer.alloc(256 * MIB));

/** A provider on a free port of 127.0.0.1 whose answers never heal. */
export interface SickProvider {
  readonly origin: string;
  readonly calls: SickCalls;
  close(): Promise<void>;
}

/** Starts it. */
export async function startSickProvider(): Promise<SickProvider> {
  const ways = new Map<string, (response: ServerResponse) => unknown>(
    Object.entries({ ...SICK_ANSWERS, ...LARGE_ANSWERS }),
  );
  const state = { how: 'redirect', count: 0 };
  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    request.resume();
    if (request.method !== 'POST') {
      response.writeHead(503).end();
      return;
    }
    state.count += 1;
    ways.get(state.how)?.(response);
  });
  const { origin, close } = await listenOnLoopback(server);
  return {
    origin,
    calls: {
      answer: (how) => Object.assign(state, { how, count: 0 }),
      get count() {
        return state.count;
      },
    },
    close,
  };
}

/** Streams an answer of so many MiB of text. */
function say(response: ServerResponse, mebibytes: number): void {
  response.writeHead(200, STREAM_TYPE);
  response.write(ROLE_EVENT);
  const piece = textEvent('words '.repeat(MIB / 6 / 4));
  for (let count = 0; count < mebibytes * 4; count += 1) response.write(piece);
  response.end(STREAM_END);
}

/** Writes a chunk so many times, as fast as it is read. */
function pour(response: ServerResponse, chunk: Buffer, times: number): void {
  let left = times;
  const write = (): void => {
    while (left > 0 && !response.destroyed) {
      left -= 1;
      if (!response.write(chunk)) {
        response.once('drain', write);
        return;
      }
    }
    response.end();
  };
  write();
}
