import { createServer } from 'node:net';
import type { Socket } from 'node:net';

import { DRIP_MS, keyIn, wantedBy } from '../calls/asked.ts';
import type { Wanted } from '../calls/asked.ts';

/** A fake provider that speaks Chat Completions over HTTP/1.1 and costs next to nothing: answers are bytes made beforehand. */

const IDENTITY = { id: 'chatcmpl-bench', created: 1_790_000_000, model: 'bench-model' };
const USAGE = {
  prompt_tokens: 80,
  completion_tokens: 60,
  total_tokens: 140,
  prompt_tokens_details: { cached_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0 },
};
/** What is written at once, and what follows piece by piece: each event by itself. */
const [DRIP_BEGINNING, ...DRIPS] = streamPieces(wantedBy('drip'));

const HEAD_END = '\r\n\r\n';
/** As undici writes it, and as others do. */
const LENGTH_HEADERS = ['content-length: ', 'Content-Length: '] as const;

/** What gateways that ask which models there are hear. */
const MODELS = jsonAnswer({
  object: 'list',
  data: [{ id: IDENTITY.model, object: 'model', created: 1, owned_by: 'bench' }],
});

const made = new Map<string, Buffer>();

/** One piece of HTTP's chunked coding for each event, as providers send them, but all in one write. */
function answerFor(key: string): Buffer {
  const wanted = wantedBy(key);
  const answer =
    made.get(key) ?? (wanted.name === 'chat' ? wholeAnswer(wanted.text) : Buffer.concat(streamPieces(wanted)));
  made.set(key, answer);
  return answer;
}

function wholeAnswer(content: string): Buffer {
  const message = { role: 'assistant', content, refusal: null };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: 'stop' }];
  return jsonAnswer({ ...IDENTITY, object: 'chat.completion', choices, usage: USAGE });
}

function jsonAnswer(value: object): Buffer {
  const body = JSON.stringify(value);
  return Buffer.from(`${head('application/json')}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

/** The head with the first event; each delta; and what ends the answer. */
function streamPieces({ pieces }: Wanted): readonly Buffer[] {
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
  const deltas = pieces.map(({ kind, text }) =>
    event(chunk(kind === 'text' ? { content: text } : { reasoning_content: text })),
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
      const key = keyIn(request);
      if (key === undefined) {
        if (request.indexOf('GET ') === 0) socket.end(MODELS);
        else socket.destroy();
        return;
      }
      if (key === 'drip') drip(socket);
      else socket.write(answerFor(key));
      held = held.subarray(size);
    }
    missing = (declaredSize(held) ?? 0) - held.length;
  });
  socket.on('error', () => socket.destroy());
}

/**
 * Writes an answer event by event, at instants that its beginning fixes. Were each counted from the one before, calls whose timers a busy
 * moment lets end together would stay together from then on, and whoever reads many events at once needs less for each.
 */
function drip(socket: Socket): void {
  const startedAtMs = performance.now() + Math.random() * DRIP_MS;
  let next = 0;
  const wait = (): void => {
    setTimeout(write, Math.max(0, Math.ceil(startedAtMs + next * DRIP_MS - performance.now())));
  };
  const write = (): void => {
    const bytes = DRIPS[next];
    next += 1;
    if (bytes === undefined || socket.destroyed) return;
    socket.write(bytes);
    wait();
  };
  if (DRIP_BEGINNING !== undefined) socket.write(DRIP_BEGINNING);
  wait();
}

/** Returns how many bytes the first request has; undefined while some are missing. */
function sizeOfRequest(bytes: Buffer): number | undefined {
  const size = declaredSize(bytes);
  return size !== undefined && size <= bytes.length ? size : undefined;
}

/** Returns how many bytes the first request says that it has, once its head is there. */
function declaredSize(bytes: Buffer): number | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd === -1) return undefined;
  for (const header of LENGTH_HEADERS) {
    const at = bytes.subarray(0, headEnd).indexOf(header);
    if (at !== -1) return headEnd + HEAD_END.length + readNumber(bytes, at + header.length);
  }
  return headEnd + HEAD_END.length;
}

function readNumber(bytes: Buffer, from: number): number {
  return Number.parseInt(bytes.toString('latin1', from, from + 10), 10);
}

createServer({ noDelay: true }, serve).listen(Number(process.argv[2]), '127.0.0.1');
