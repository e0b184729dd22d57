import { gzipSync } from 'node:zlib';

import type { ChaosStep } from './chaos-upstream.ts';
import { chunk, head, lastChunk, send } from './chaos-upstream.ts';
import { BEGUN, SAID, USAGE, WHOLE } from './chaos-stage.ts';
import { event, ROLE_EVENT, STREAM_END, STREAM_HEAD, textEvent } from './openai-bodies.ts';

/** Text that is easily cut in the wrong place: characters of one to four bytes. */
const WIDE = 'Zoë, 東京, 👩🏽‍🚀 and 🎭: fin.';

/** A stream that is odd, but an answer. */
export interface OddStream {
  readonly name: string;
  readonly steps: readonly ChaosStep[];
  /** Default: {@link WHOLE}. */
  readonly text?: string;
  /** What is told of the usage; default: {@link USAGE}. Estimated counts are left out here. */
  readonly usage?: Readonly<Record<string, number | undefined>>;
  readonly reason?: 'STOP' | 'OTHER' | 'LENGTH' | 'TOOL_CALLS';
}

const CUT_END = STREAM_END.replace('data: [DONE]\n\n', '');
const FINISH = event({}, 'stop');
const UNTIL_GONE: ChaosStep = { do: 'await_close' };

/** A whole answer with a text, as the bytes of its events. */
function bodyOf(text: string): string {
  const pieces = text.match(/.{1,4}/gsu) ?? [];
  return [ROLE_EVENT, ...pieces.map(textEvent), STREAM_END].join('');
}

/** Sends a body, each piece as an HTTP chunk of its own. */
function inPieces(pieces: readonly (string | Uint8Array)[]): readonly ChaosStep[] {
  return [STREAM_HEAD, ...pieces.map(chunk), lastChunk];
}

function bytesOf(body: string): readonly Uint8Array[] {
  return [...Buffer.from(body)].map((byte) => Uint8Array.of(byte));
}

function usageEvent(usage: unknown): string {
  return `data: ${JSON.stringify({ id: 'chatcmpl-1', model: 'model-1', choices: [], usage })}\n\n`;
}

/** Says all words, then ends as told. */
function ending(...pieces: readonly string[]): readonly ChaosStep[] {
  return [...SAID, ...pieces.map(chunk), lastChunk];
}

/** One event whose JSON is written by hand. */
function raw(json: string): string {
  return `data: ${json}\n\n`;
}

const CODED = { 'content-type': 'text/event-stream', 'content-encoding': 'gzip', 'transfer-encoding': 'chunked' };
const MANY = 10_000;

/** Streams that other clients stumble over. */
export const ODD_STREAMS: readonly OddStream[] = [
  { name: 'single bytes', steps: inPieces(bytesOf(bodyOf(WIDE))), text: WIDE },
  { name: 'single bytes with CRLF', steps: inPieces(bytesOf(bodyOf(WIDE).replaceAll('\n', '\r\n'))), text: WIDE },
  { name: 'one packet', steps: inPieces([bodyOf(WIDE)]), text: WIDE },
  { name: 'a byte order mark', steps: inPieces([`\uFEFF${bodyOf(WIDE)}`]), text: WIDE },
  { name: 'CR alone at the ends of lines', steps: inPieces([bodyOf(WIDE).replaceAll('\n', '\r')]), text: WIDE },
  {
    name: 'comments between all events',
    steps: inPieces([bodyOf(WIDE).replaceAll('\n\n', '\n\n: still there\n\n')]),
    text: WIDE,
  },
  { name: 'no blank after the colon', steps: inPieces([bodyOf(WIDE).replaceAll('data: ', 'data:')]), text: WIDE },
  {
    name: 'names, ids and times to reconnect',
    steps: inPieces([bodyOf(WIDE).replaceAll('data: ', 'id: 7\nretry: 1\nevent: message\ndata: ')]),
    text: WIDE,
  },
  {
    name: 'events in several data lines',
    steps: inPieces([bodyOf(WIDE).replaceAll('"choices"', '\ndata: "choices"')]),
    text: WIDE,
  },
  {
    name: 'ten thousand events in one packet',
    steps: inPieces([
      [ROLE_EVENT, ...Array.from({ length: MANY }, (_, index) => textEvent(`${index} `)), STREAM_END].join(''),
    ]),
    text: Array.from({ length: MANY }, (_, index) => `${index} `).join(''),
  },
  {
    name: 'a trickle, slower than the limit of the whole but not of each piece',
    steps: [
      ...BEGUN,
      { do: 'pause', ms: 350 },
      chunk(textEvent('the ')),
      { do: 'pause', ms: 350 },
      chunk(textEvent('question.')),
      { do: 'pause', ms: 350 },
      chunk(STREAM_END),
      lastChunk,
    ],
  },
  { name: 'words after [DONE]', steps: ending(STREAM_END, textEvent('not these')) },
  {
    name: 'words after the finish reason',
    steps: ending(
      FINISH,
      textEvent('not these'),
      usageEvent({ prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 }),
    ),
  },
  { name: 'garbage after [DONE]', steps: ending(STREAM_END, 'data: {nonsense\n\n') },
  { name: 'two [DONE]', steps: ending(STREAM_END, 'data: [DONE]\n\n') },
  { name: 'two finish reasons', steps: ending(FINISH, event({}, 'length'), CUT_END) },
  { name: 'no [DONE]', steps: ending(CUT_END) },
  { name: 'no [DONE] and no end of the body', steps: [...SAID, chunk(CUT_END), UNTIL_GONE] },
  { name: '[DONE] alone, without a finish reason', steps: ending('data: [DONE]\n\n'), usage: {}, reason: 'OTHER' },
  { name: 'a last event without its blank line', steps: ending(CUT_END, 'data: [DONE]') },
  { name: 'a finish reason and a reset, before usage', steps: [...SAID, chunk(FINISH), { do: 'reset' }], usage: {} },
  { name: 'no usage', steps: ending(FINISH, 'data: [DONE]\n\n'), usage: {} },
  {
    name: 'a usage of nothing',
    steps: ending(FINISH, usageEvent({ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 })),
    usage: {},
  },
  {
    name: 'a negative usage',
    steps: ending(FINISH, usageEvent({ prompt_tokens: -9, completion_tokens: -3, total_tokens: -12 })),
    usage: {},
  },
  {
    name: 'a usage beyond all numbers',
    steps: ending(
      FINISH,
      raw('{"choices":[],"usage":{"prompt_tokens":1e400,"completion_tokens":9007199254740993,"total_tokens":"12"}}'),
    ),
    usage: {},
  },
  {
    name: 'two usages, of which the last counts',
    steps: ending(
      FINISH,
      usageEvent({ prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }),
      CUT_END.replace(FINISH, ''),
    ),
  },
  {
    name: 'keys that come twice',
    steps: inPieces([
      ROLE_EVENT,
      raw('{"choices":[],"choices":[{"index":0,"delta":{"content":"no","content":"yes"}}]}'),
      STREAM_END,
    ]),
    text: 'yes',
  },
  {
    name: 'the key __proto__',
    steps: inPieces([
      ROLE_EVENT,
      raw(
        '{"__proto__":{"error":"x"},"choices":[{"index":0,"__proto__":{"finish_reason":"length"},"delta":{"content":"plain","constructor":{}}}]}',
      ),
      STREAM_END,
    ]),
    text: 'plain',
  },
  { name: 'a NUL in the text', steps: inPieces([ROLE_EVENT, textEvent('a\u0000b'), STREAM_END]), text: 'a\u0000b' },
  {
    name: 'half a surrogate pair alone',
    steps: inPieces([
      ROLE_EVENT,
      raw(String.raw`{"choices":[{"index":0,"delta":{"content":"a\ud83db"}}]}`),
      STREAM_END,
    ]),
    text: 'a\uFFFDb',
  },
  {
    name: 'a surrogate pair in two events',
    steps: [
      STREAM_HEAD,
      chunk(ROLE_EVENT),
      chunk(raw(String.raw`{"choices":[{"index":0,"delta":{"content":"a\ud83c"}}]}`)),
      { do: 'pause', ms: 50 },
      chunk(raw(String.raw`{"choices":[{"index":0,"delta":{"content":"\udfadb"}}]}`)),
      chunk(STREAM_END),
      lastChunk,
    ],
    text: 'a🎭b',
  },
  {
    name: 'other choices',
    steps: inPieces([
      ROLE_EVENT,
      raw('{"choices":[{"index":1,"delta":{"content":"no"}},{"index":0,"delta":{"content":"yes"}}]}'),
      STREAM_END,
    ]),
    text: 'yes',
  },
  {
    name: 'events of kinds that nobody knows',
    steps: inPieces([
      ROLE_EVENT,
      raw('{"object":"filter.results","results":[]}'),
      raw('{}'),
      textEvent('yes'),
      STREAM_END,
    ]),
    text: 'yes',
  },
  { name: 'compression', steps: [head(200, CODED), chunk(gzipSync(bodyOf(WIDE))), lastChunk], text: WIDE },
  {
    name: 'compression in single bytes',
    steps: [head(200, CODED), ...[...gzipSync(bodyOf(WIDE))].map((byte) => chunk(Uint8Array.of(byte))), lastChunk],
    text: WIDE,
  },
  { name: 'no content-type', steps: [head(200, { 'transfer-encoding': 'chunked' }), chunk(bodyOf(WHOLE)), lastChunk] },
  {
    name: 'an end that only the close of the connection tells',
    steps: [head(200, { 'content-type': 'text/event-stream' }), send(bodyOf(WHOLE)), { do: 'end' }],
  },
  {
    name: 'JSON instead of events',
    steps: [
      head(200, { 'content-type': 'application/json', connection: 'close' }),
      send(
        JSON.stringify({
          model: 'model-1',
          choices: [{ index: 0, message: { content: WHOLE }, finish_reason: 'stop' }],
          usage: { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 },
        }),
      ),
      { do: 'end' },
    ],
    usage: USAGE,
  },
];
