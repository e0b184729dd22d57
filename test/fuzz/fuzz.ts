import type { Delta, Finish } from '../../src/core/answer.ts';
import type { AttemptEvent } from '../../src/core/ports.ts';
import { adapterFor } from '../../src/providers/registry.ts';
import type { Adapter } from '../../src/providers/port/adapter.ts';
import type { ExchangeLimits } from '../../src/upstream/exchange/parts.ts';
import { openExchange } from '../../src/upstream/exchange/http-exchange.ts';
import type { HttpHandler, Transport } from '../../src/core/transport.ts';
import type { RecordedCase } from '../support/recorded-dialects.ts';
import { recordedCases } from '../support/recorded-dialects.ts';
import type { ProviderRecording } from '../support/recordings.ts';
import { cutBytes } from '../support/replay-server.ts';
import { mulberry32 } from '../support/virtual-runtime.ts';
import { hasEndMarker } from './end-marker.ts';
import type { Mutation } from './mutations.ts';
import { MUTATIONS, pick } from './mutations.ts';

/** Bounds far below those of a gateway, so that small bodies reach them. */
const LIMITS = {
  errorBodyBytes: 4 * 1024,
  jsonBodyBytes: 128 * 1024,
  answerBytes: 64 * 1024,
  eventChars: 64 * 1024,
} as const satisfies Partial<ExchangeLimits>;

/** A body of so many bytes is spoiled no further. */
const LONGEST_BODY = 512 * 1024;

const HEAD = { url: new URL('http://127.0.0.1/'), headers: {} };
const RUNTIME = { wall: () => 1_795_000_000_000, setTimer: () => 0, clearTimer: () => {} };
const NAMES = Object.keys(MUTATIONS);

/** What a mutated answer did that none may do. */
export interface Finding {
  /** Seed that makes this case the first. */
  readonly seed: number;
  readonly id: string;
  readonly mutations: readonly string[];
  readonly what: string;
}

/** How many cases ended how, and what was found. */
export interface FuzzReport {
  readonly cases: number;
  readonly successes: number;
  readonly failures: number;
  readonly unchanged: number;
  readonly findings: readonly Finding[];
}

/** Puts mutated recordings through framing, adapter and exchange; case n of a seed is the first of the seed plus n. */
export function fuzz(recordings: readonly ProviderRecording[], seed: number, count: number): FuzzReport {
  const { cases } = recordedCases(recordings);
  const findings: Finding[] = [];
  const ended = { success: 0, failure: 0, unchanged: 0 };
  for (let index = 0; index < count; index += 1) {
    const random = mulberry32(seed + index);
    const recorded = cases[pick(random, cases.length)];
    if (recorded === undefined) break;
    const { recording } = recorded;
    const { body, names } = mutate(recorded, cases, random);
    const found = (what: string): void =>
      void findings.push({ seed: seed + index, id: recording.id, mutations: names, what });
    const events = replay(recorded, body, random, found);
    const end = checkEvents(events, body, recording, found);
    ended[end] += 1;
    if (end === 'success' && names.length === 0) ended.unchanged += 1;
  }
  return { cases: count, successes: ended.success, failures: ended.failure, unchanged: ended.unchanged, findings };
}

function mutate(
  { recording }: RecordedCase,
  cases: readonly RecordedCase[],
  random: () => number,
): { readonly body: Uint8Array; readonly names: readonly string[] } {
  const like = cases.filter(({ recording: other }) => other.dialect === recording.dialect);
  const names: string[] = [];
  let body: Uint8Array = Buffer.from(recording.body);
  // None in one case of ten, so that what is told as a success can be seen to be one.
  for (let left = random() < 0.1 ? 0 : 1 + pick(random, 3); left > 0 && body.length < LONGEST_BODY; left -= 1) {
    const name = NAMES[pick(random, NAMES.length)] ?? '';
    const other = Buffer.from(like[pick(random, like.length)]?.recording.body ?? '');
    const mutation = (MUTATIONS as Readonly<Record<string, Mutation>>)[name];
    body = mutation?.(body, { random, other }) ?? body;
    names.push(name);
  }
  return { body, names };
}

function replay(
  { recording, dialect }: RecordedCase,
  body: Uint8Array,
  random: () => number,
  found: (what: string) => void,
): readonly AttemptEvent<Delta, Finish>[] {
  const events: AttemptEvent<Delta, Finish>[] = [];
  let handler: HttpHandler | undefined;
  let isAborted = false;
  const transport: Transport = {
    send: (_request, receives) => {
      handler = receives;
      return { abort: () => void (isAborted = true), pause: () => {}, resume: () => {} };
    },
    retire: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  try {
    openExchange(
      {
        transport,
        adapter: adapterOf(dialect.target(recording.provider)),
        head: HEAD,
        wire: { body: {} },
        stream: recording.kind !== 'json',
        limits: LIMITS,
        runtime: RUNTIME,
      },
      (event) => void events.push(event),
    );
    const told: HttpHandler | undefined = handler;
    told?.onHeaders(recording.status, { 'content-type': CONTENT_TYPES[recording.kind], ...recording.headers });
    for (const piece of cutBytes(body, random, 4_096)) {
      if (isAborted) break;
      told?.onData(piece);
    }
    if (!isAborted) told?.onEnd();
  } catch (error) {
    found(`threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  return events;
}

const CONTENT_TYPES = {
  json: 'application/json',
  sse: 'text/event-stream',
  ndjson: 'application/x-ndjson',
  error: 'application/json',
} as const satisfies Record<ProviderRecording['kind'], string>;

function adapterOf(target: ReturnType<RecordedCase['dialect']['target']>): Adapter {
  if (target === undefined) throw new Error('a case without a target');
  return adapterFor(target.provider, target.api ?? 'chat_completions');
}

/** Holds what an exchange told to what every exchange must: one end, within the bounds, no fault of ours, no half success. */
function checkEvents(
  events: readonly AttemptEvent<Delta, Finish>[],
  body: Uint8Array,
  recording: ProviderRecording,
  found: (what: string) => void,
): 'success' | 'failure' {
  const last = events.at(-1);
  const ends = events.filter(({ type }) => type === 'end' || type === 'error');
  if (ends.length !== 1 || last !== ends[0]) found(`ended ${ends.length} times, last with ${last?.type}`);
  let size = 0;
  let isTerminated = false;
  for (const event of events) {
    if (event.type === 'output') {
      size += event.bytes;
      if (isTerminated) found('gave output after its end');
    }
    if (event.type === 'terminal') isTerminated = true;
    if (event.type === 'usage') checkUsage(event.usage, found);
  }
  const limit = recording.kind === 'json' ? LIMITS.jsonBodyBytes : LIMITS.answerBytes;
  if (size > limit) found(`gave ${size} bytes, more than the bound`);
  if (last?.type === 'error') {
    const { failure } = last;
    if (failure.class === 'internal') {
      found(`a fault of ours: ${failure.cause instanceof Error ? failure.cause.stack : failure.message}`);
    }
    return 'failure';
  }
  checkCalls(events, found);
  if (recording.kind === 'error') found('a success with the status of an error');
  else if (!isTerminated || !hasEndMarker(body, recording)) found('a success without the marker of one');
  return 'success';
}

/** A call of a whole answer has an id, a name and arguments, so that it can be made and answered. */
function checkCalls(events: readonly AttemptEvent<Delta, Finish>[], found: (what: string) => void): void {
  const calls = new Map<number, { id: string; name: string; text: string }>();
  for (const event of events) {
    if (event.type !== 'output' || event.value.kind !== 'tool_call') continue;
    const { index, id, name, argumentsFragment } = event.value;
    const call = calls.get(index) ?? { id: '', name: '', text: '' };
    calls.set(index, {
      id: call.id || (id ?? ''),
      name: call.name || (name ?? ''),
      text: call.text + argumentsFragment,
    });
  }
  for (const { id, name, text } of calls.values()) {
    if (id === '' || name === '' || text.trim() === '')
      found(`gave a call "${name}" with the id "${id}" and ${text.length} characters`);
  }
}

function checkUsage(usage: object, found: (what: string) => void): void {
  for (const [name, value] of Object.entries(usage)) {
    if (typeof value === 'number' && !(Number.isSafeInteger(value) && value >= 0)) found(`counted ${name} as ${value}`);
  }
}
