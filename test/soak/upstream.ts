import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { setTimeout as passed } from 'node:timers/promises';

import { event, ROLE_EVENT, STREAM_END, textEvent } from '../support/openai-bodies.ts';
import { mulberry32 } from '../support/virtual-runtime.ts';
import { idIn, wordsOf } from './words.ts';
import { listenOnLoopback } from '../support/listening.ts';

/** A provider that streams the words of every call and fails as often as it is told. */
export interface SoakUpstream {
  readonly origin: string;
  /** Calls that were answered, by how. */
  readonly tally: ReadonlyMap<string, number>;
  /** Calls under way. */
  openCalls(): number;
  close(): Promise<void>;
}

const EARLY = ['reset', 'status_500', 'status_503', 'rate_limit', 'silence', 'error_first', 'empty', 'html'] as const;
const MIDDLE = ['cut', 'stall', 'malformed', 'error_in_stream', 'no_end_marker', 'bad_utf8'] as const;
const LATE = ['reset_after_end', 'silence_after_end'] as const;
type Plan = 'good' | (typeof EARLY)[number] | (typeof MIDDLE)[number] | (typeof LATE)[number];

const ERROR = `data: ${JSON.stringify({ error: { message: 'Words.', type: 'server_error', code: null } })}\n\n`;

/** How an upstream behaves. */
export interface SoakOptions {
  /** Share of calls that go wrong, 0 to 1. */
  readonly faults: number;
  /** Pause between two words, in milliseconds. */
  readonly gapMs: number;
  readonly seed: number;
  /** How they go wrong; default: in every way. */
  readonly plans?: readonly Plan[];
}

const ALL: readonly Plan[] = [...EARLY, ...MIDDLE, ...LATE];

/** Starts one. */
export async function startSoakUpstream(
  target: string,
  { faults, gapMs, seed, plans = ALL }: SoakOptions,
): Promise<SoakUpstream> {
  const random = mulberry32(seed);
  const tally = new Map<string, number>();
  let open = 0;
  const choose = (): Plan => {
    if (random() >= faults) return 'good';
    return plans[Math.floor(random() * plans.length)] ?? 'good';
  };
  const server = createServer((request, response) => {
    const plan = choose();
    tally.set(plan, (tally.get(plan) ?? 0) + 1);
    open += 1;
    response.once('close', () => {
      open -= 1;
    });
    response.on('error', () => undefined);
    request.on('error', () => undefined);
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.once('end', () => void answer(response, plan, wordsOf(target, idIn(body)), gapMs));
  });
  server.keepAliveTimeout = 60_000;
  const { origin, close } = await listenOnLoopback(server);
  return {
    origin,
    tally,
    openCalls: () => open,
    close,
  };
}

/** Answers that come whole and at once. */
const AT_ONCE: Partial<Record<Plan, { readonly status: number; readonly headers: Record<string, string> }>> = {
  status_500: { status: 500, headers: { 'content-type': 'application/json' } },
  status_503: { status: 503, headers: { 'content-type': 'application/json' } },
  rate_limit: { status: 429, headers: { 'content-type': 'application/json', 'retry-after-ms': '40' } },
  html: { status: 200, headers: { 'content-type': 'text/html' } },
};

async function answer(response: ServerResponse, plan: Plan, words: readonly string[], gapMs: number): Promise<void> {
  const whole = AT_ONCE[plan];
  if (plan === 'silence') return;
  if (plan === 'reset') response.socket?.resetAndDestroy();
  else if (whole !== undefined) response.writeHead(whole.status, whole.headers).end('{"error":{"message":"Words."}}');
  else {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    await stream(response, plan, words, gapMs);
  }
}

async function stream(response: ServerResponse, plan: Plan, words: readonly string[], gapMs: number): Promise<void> {
  if (plan === 'empty') {
    response.end();
    return;
  }
  response.write(plan === 'error_first' ? ERROR : ROLE_EVENT);
  const breaksAt = MIDDLE.some((middle) => middle === plan) ? Math.ceil((words.length * 2) / 3) : words.length;
  for (const word of words.slice(0, breaksAt)) {
    await passed(gapMs);
    if (response.destroyed) return;
    response.write(textEvent(word));
  }
  if (plan === 'cut') response.socket?.resetAndDestroy();
  else if (plan === 'reset_after_end') response.write(event({}, 'stop'), () => response.socket?.resetAndDestroy());
  else if (plan === 'silence_after_end') response.write(STREAM_END);
  else if (plan === 'good') response.end(STREAM_END);
  else if (plan === 'no_end_marker') response.end();
  else if (plan !== 'stall') response.write(BREAKS[plan] ?? '');
}

/** What breaks a stream by what is written. */
const BREAKS: Partial<Record<Plan, string | Uint8Array>> = {
  malformed: 'data: {"choices": [\n\n',
  error_in_stream: ERROR,
  bad_utf8: Uint8Array.of(0x64, 0xff, 0x0a),
};
