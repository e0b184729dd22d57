import type { ChaosStep } from './chaos-upstream.ts';
import { chunk, lastChunk, send } from './chaos-upstream.ts';
import { event } from './openai-bodies.ts';

/** Where in an exchange a fault comes. */
export const PHASES = ['before headers', 'before the first words', 'after two thirds', 'after the end marker'] as const;
export type Phase = (typeof PHASES)[number];

/** Something that an upstream can do at any point of a stream. */
export interface Fault {
  readonly name: string;
  readonly steps: readonly ChaosStep[];
  /** The outcome of the attempt where it has shown no words yet. */
  readonly outcome: string;
  /** Whether the same target is then asked once more. */
  readonly isRepeated?: boolean;
  /** Whether only a timer of ours ends it. */
  readonly isSilence?: boolean;
  /** Whether it is held against the provider; default true. */
  readonly isBlamed?: boolean;
  /** Phases that it can come in; default all. */
  readonly phases?: readonly Phase[];
}

/** The phases in which the response has a chunked body. */
const IN_BODY: readonly Phase[] = PHASES.slice(1);
const UNTIL_GONE: ChaosStep = { do: 'await_close' };

/** Everything that can go wrong with a connection or with what comes over it. */
export const FAULTS: readonly Fault[] = [
  { name: 'a reset', steps: [{ do: 'reset' }], outcome: 'PROVIDER_UNAVAILABLE', isRepeated: true },
  { name: 'the end of the connection', steps: [{ do: 'end' }], outcome: 'PROVIDER_UNAVAILABLE', isRepeated: true },
  { name: 'silence', steps: [UNTIL_GONE], outcome: 'PROVIDER_TIMEOUT', isSilence: true },
  {
    name: 'bytes that are no HTTP',
    steps: [send('\u0000SSH-2.0\r\n'), UNTIL_GONE],
    outcome: 'PROVIDER_PROTOCOL_ERROR',
  },
  {
    name: 'headers that trickle in for ever',
    steps: [send('HTTP/1.1 200 OK\r\n'), { do: 'drip', bytes: 'x-a: b\r\n', everyMs: 20 }],
    outcome: 'PROVIDER_TIMEOUT',
    isSilence: true,
    phases: ['before headers'],
  },
  {
    name: 'a chunk whose size is none',
    steps: [send('zz\r\n'), UNTIL_GONE],
    outcome: 'PROVIDER_PROTOCOL_ERROR',
    phases: IN_BODY,
  },
  {
    name: 'the end of the body',
    steps: [lastChunk],
    outcome: 'PROVIDER_UNAVAILABLE',
    isRepeated: true,
    phases: IN_BODY,
  },
  malformed('an event that is no JSON', 'data: {"choices": [\n\n'),
  malformed('an event that is a list', 'data: [1, 2]\n\n'),
  malformed('an event with NUL between its fields', 'data: {"choices":\u0000[]}\n\n'),
  malformed(
    'text that is not UTF-8',
    Buffer.from([...Buffer.from('data: {"choices":"'), 0xff, 0xfe, 0x22, 0x7d, 10, 10]),
  ),
  {
    name: 'half an event and a reset',
    steps: [chunk('data: {"choices": [{"index": 0, "delta": {"content": "lost'), { do: 'reset' }],
    outcome: 'PROVIDER_UNAVAILABLE',
    isRepeated: true,
    phases: IN_BODY,
  },
  {
    name: 'half a character and the end of the body',
    steps: [chunk(Buffer.from([...Buffer.from('data: "'), 0xf0, 0x9f])), lastChunk],
    outcome: 'PROVIDER_UNAVAILABLE',
    isRepeated: true,
    phases: IN_BODY,
  },
  {
    name: 'a line of 50 MB',
    steps: [
      send('3200000\r\ndata: '),
      ...Array.from({ length: 50 }, () => send(Buffer.alloc(1024 * 1024, 97))),
      UNTIL_GONE,
    ],
    outcome: 'PROVIDER_PROTOCOL_ERROR',
    phases: IN_BODY,
  },
  inBand('a server error in the stream', 'server_error', { outcome: 'PROVIDER_UNAVAILABLE', isRepeated: true }),
  inBand('a rate limit in the stream', 'rate_limit_exceeded', { outcome: 'PROVIDER_RATE_LIMITED', isBlamed: false }),
  inBand('a used-up quota in the stream', 'insufficient_quota', {
    outcome: 'PROVIDER_QUOTA_EXHAUSTED',
    isBlamed: false,
  }),
  dripping('comments for ever', ': keep-alive\n\n'),
  dripping('events without words for ever', event({})),
  dripping('empty words for ever', event({ content: '' })),
  dripping('half an event that grows for ever', 'data: {"choices": ['),
];

function malformed(name: string, bytes: string | Uint8Array): Fault {
  return { name, steps: [chunk(bytes), UNTIL_GONE], outcome: 'PROVIDER_PROTOCOL_ERROR', phases: IN_BODY };
}

function inBand(name: string, code: string, rest: Omit<Fault, 'name' | 'steps'>): Fault {
  const error = { message: 'Words of the provider.', type: code, param: null, code };
  return { name, steps: [chunk(`data: ${JSON.stringify({ error })}\n\n`), UNTIL_GONE], phases: IN_BODY, ...rest };
}

function dripping(name: string, text: string): Fault {
  const bytes = `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
  return {
    name,
    steps: [{ do: 'drip', bytes, everyMs: 20 }],
    outcome: 'PROVIDER_TIMEOUT',
    isSilence: true,
    phases: IN_BODY,
  };
}
