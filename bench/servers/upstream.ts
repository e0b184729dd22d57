import { createServer } from 'node:net';
import type { Socket } from 'node:net';

import {
  CHAT_PIECES,
  CHAT_TEXT,
  DRIP_MS,
  kindOfPiece,
  LONG_MARK,
  LONG_TEXT,
  PIECES,
  scenarioIn,
} from '../calls/scenarios.ts';
import type { ScenarioName } from '../calls/scenarios.ts';

/** A fake provider that speaks Chat Completions over HTTP/1.1 and costs next to nothing: answers are bytes made beforehand. */

const IDENTITY = { id: 'chatcmpl-bench', created: 1_790_000_000, model: 'bench-model' };
const USAGE = {
  prompt_tokens: 80,
  completion_tokens: 60,
  total_tokens: 140,
  prompt_tokens_details: { cached_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0 },
};
const ANSWERS = {
  chat: wholeAnswer(CHAT_TEXT),
  open: streamedAnswer('open', CHAT_PIECES),
  apart: streamedAnswer('apart', PIECES),
  joined: streamedAnswer('joined', PIECES),
} as const satisfies Record<Exclude<ScenarioName, 'drip'>, Buffer>;

/** What is written at once, and what follows piece by piece: each event by itself. */
const [DRIP_BEGINNING, ...DRIPS] = streamPieces('drip', PIECES);

const LONG_ANSWER = wholeAnswer(LONG_TEXT);

const HEAD_END = '\r\n\r\n';
const LENGTH_HEADER = 'content-length: ';

function wholeAnswer(content: string): Buffer {
  const message = { role: 'assistant', content, refusal: null };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: 'stop' }];
  const body = JSON.stringify({ ...IDENTITY, object: 'chat.completion', choices, usage: USAGE });
  return Buffer.from(`${head('application/json')}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

/** One piece of HTTP's chunked coding for each event, as providers send them, but all in one write. */
function streamedAnswer(name: ScenarioName, pieces: readonly string[]): Buffer {
  return Buffer.concat(streamPieces(name, pieces));
}

/** The head with the first event; each delta; and what ends the answer. */
function streamPieces(name: ScenarioName, pieces: readonly string[]): readonly Buffer[] {
  const chunk = (delta: object, finish: string | null = null): object => ({
    ...IDENTITY,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    usage: null,
  });
  const framed = (data: string): string => {
    const text = `data: ${data}\n\n`;
    return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
  };
  const event = (value: object): string => framed(JSON.stringify(value));
  const deltas = pieces.map((text, index) =>
    event(chunk(kindOfPiece(name, index) === 'text' ? { content: text } : { reasoning_content: text })),
  );
  const end = { ...IDENTITY, object: 'chat.completion.chunk', choices: [], usage: USAGE };
  return [
    `${head('text/event-stream; charset=utf-8')}transfer-encoding: chunked\r\n\r\n${event(chunk({ role: 'assistant', content: '' }))}`,
    ...deltas,
    `${event(chunk({}, 'stop'))}${event(end)}${framed('[DONE]')}0\r\n\r\n`,
  ].map((text) => Buffer.from(text));
}

function head(contentType: string): string {
  return `HTTP/1.1 200 OK\r\ncontent-type: ${contentType}\r\nx-request-id: req-bench\r\n`;
}

/** Answers the requests of one connection, one after the other. */
function serve(socket: Socket): void {
  let held: Buffer = Buffer.alloc(0);
  let pieces: Buffer[] = [];
  let missing = 0;
  socket.on('data', (chunk: Buffer) => {
    pieces.push(chunk);
    missing -= chunk.length;
    if (missing > 0) return;
    held = held.length === 0 && pieces.length === 1 ? chunk : Buffer.concat([held, ...pieces]);
    pieces = [];
    for (let size = sizeOfRequest(held); size !== undefined; size = sizeOfRequest(held)) {
      const request = held.subarray(0, size);
      const scenario = scenarioIn(request);
      if (scenario === undefined) {
        socket.destroy();
        return;
      }
      if (scenario === 'drip') drip(socket);
      else socket.write(scenario === 'joined' && request.includes(LONG_MARK) ? LONG_ANSWER : ANSWERS[scenario]);
      held = held.subarray(size);
    }
    missing = (declaredSize(held) ?? 0) - held.length;
  });
  socket.on('error', () => socket.destroy());
}

/** Writes an answer event by event. Those of several calls are not written at the same instants. */
function drip(socket: Socket): void {
  let next = 0;
  const write = (): void => {
    const bytes = DRIPS[next];
    next += 1;
    if (bytes === undefined || socket.destroyed) return;
    socket.write(bytes);
    setTimeout(write, DRIP_MS);
  };
  if (DRIP_BEGINNING !== undefined) socket.write(DRIP_BEGINNING);
  setTimeout(write, Math.random() * DRIP_MS);
}

/** Returns how many bytes the first request has; undefined while some are missing. */
function sizeOfRequest(bytes: Buffer): number | undefined {
  const size = declaredSize(bytes);
  return size !== undefined && size <= bytes.length ? size : undefined;
}

/** Returns how many bytes the first request says that it has, once its head is there. undici writes header names as here. */
function declaredSize(bytes: Buffer): number | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd === -1) return undefined;
  const lengthAt = bytes.indexOf(LENGTH_HEADER);
  const length = lengthAt === -1 || lengthAt > headEnd ? 0 : readNumber(bytes, lengthAt + LENGTH_HEADER.length);
  return headEnd + HEAD_END.length + length;
}

function readNumber(bytes: Buffer, from: number): number {
  return Number.parseInt(bytes.toString('latin1', from, from + 10), 10);
}

createServer({ noDelay: true }, serve).listen(Number(process.argv[2]), '127.0.0.1');
