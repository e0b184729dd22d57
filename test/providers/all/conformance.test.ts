import { afterAll, describe, expect, it } from 'vitest';
import type { FinishReason } from '../../../src/core/answer.ts';
import type { Adapter, AdapterEvent } from '../../../src/providers/port/adapter.ts';
import { adapterFor } from '../../../src/providers/registry.ts';
import { asRecord } from '../../../src/providers/shared/json/value.ts';
import { createFraming } from '../../../src/upstream/exchange/framing.ts';
import {
  anthropicExpectation,
  anthropicFinish,
  anthropicInBandVerdict,
  anthropicVerdict,
} from '../../support/anthropic-oracle.ts';
import { answer, deltas } from '../../support/chat-samples.ts';
import { speakerOf } from '../../support/every-adapter.ts';
import { ollamaExpectation, ollamaFinish, ollamaInBandVerdict, ollamaVerdict } from '../../support/ollama-oracle.ts';
import type { FailureVerdict } from '../../support/openai-oracle.ts';
import { chatFinish, openAiInBandVerdict, openAiVerdict, responsesFinish } from '../../support/openai-oracle.ts';
import type { Expectation, ProviderRecording } from '../../support/recordings.ts';
import { loadRecordings, outputTokensOf, recordedCalls } from '../../support/recordings.ts';
import { mulberry32 } from '../../support/virtual-runtime.ts';

/** What the recordings of one dialect are held to. */
interface Dialect {
  /** The adapter for recordings of a provider; of those that are no provider of ours it is that of `openai` elsewhere. */
  adapter(provider: string): Adapter;
  finishReason(expected: Expectation): FinishReason;
  verdict(recording: ProviderRecording): FailureVerdict | undefined;
  inBandVerdict(expected: Expectation): FailureVerdict | undefined;
  /** What is expected where the body, which the expectation is computed from, says it otherwise. */
  expectation?(computed: Expectation, body: string): Expectation;
}

const DIALECTS: Readonly<Record<string, Dialect>> = {
  openai: {
    adapter: (provider) => speakerOf(provider, 'openai')?.adapter ?? adapterFor('openai', 'chat_completions'),
    finishReason: chatFinish,
    verdict: openAiVerdict,
    inBandVerdict: openAiInBandVerdict,
  },
  'openai-responses': {
    adapter: (provider) => speakerOf(provider, 'openai-responses')?.adapter ?? adapterFor('openai', 'responses'),
    finishReason: responsesFinish,
    verdict: openAiVerdict,
    inBandVerdict: openAiInBandVerdict,
  },
  anthropic: {
    adapter: () => adapterFor('anthropic', 'chat_completions'),
    finishReason: anthropicFinish,
    verdict: anthropicVerdict,
    inBandVerdict: anthropicInBandVerdict,
    expectation: anthropicExpectation,
  },
  ollama: {
    adapter: () => adapterFor('ollama', 'chat_completions'),
    finishReason: ollamaFinish,
    verdict: ollamaVerdict,
    inBandVerdict: ollamaInBandVerdict,
    expectation: ollamaExpectation,
  },
};

/** Recordings that no adapter answers for, and why; each of them has to be read as a failure of class `protocol`. */
const NO_ANSWER: Readonly<Record<string, string>> = {
  'openai-responses-json-penai-responses-test-background-mode-reasoning-vcr-7cdd52':
    'status `queued`: the gateway never asks for background mode, and an answer that is not made yet must not pass for one',
};

const CUTS_PER_STREAM = 3;

const subjects = loadRecordings().flatMap((recording) => {
  const dialect = DIALECTS[recording.dialect];
  if (dialect === undefined) return [];
  const adapter = dialect.adapter(recording.provider);
  const isAnswer = recording.kind !== 'error';
  const expected = (isAnswer ? dialect.expectation?.(recording.expect, recording.body) : undefined) ?? recording.expect;
  return [{ recording: { ...recording, expect: expected }, dialect, adapter, id: recording.id }];
});
const passed: ProviderRecording[] = [];

describe.skipIf(subjects.length === 0)('recordings of providers (skipped without ../shared/fixtures)', () => {
  it.each(subjects)('$id', ({ recording, dialect, adapter }) => {
    if (recording.kind === 'error') {
      expectFailure(recording, dialect, adapter);
    } else if (recording.kind === 'json') {
      const events = adapter.response(JSON.parse(recording.body));
      if (NO_ANSWER[recording.id] === undefined) expectAnswer(events, recording, dialect);
      else expect(events.at(-1)).toMatchObject({ type: 'failure', failure: { class: 'protocol' } });
    } else {
      for (let seed = 1; seed <= CUTS_PER_STREAM; seed += 1) {
        expectAnswer(readStream(adapter, recording.body, seed), recording, dialect);
      }
    }
    passed.push(recording);
  });

  it('lists no exception that is not there', () => {
    expect(subjects.map(({ id }) => id)).toEqual(expect.arrayContaining(Object.keys(NO_ANSWER)));
  });

  afterAll(() => {
    process.stdout.write(`${countTable()}\n`);
  });
});

/** Feeds a body in pieces of 1 to 64 bytes, as the transport might. */
function readStream(adapter: Adapter, body: string, seed: number): readonly AdapterEvent[] {
  const random = mulberry32(seed);
  const framing = createFraming(adapter.framing);
  const read = adapter.events();
  const bytes = new TextEncoder().encode(body);
  const events: AdapterEvent[] = [];
  for (let at = 0; at < bytes.length;) {
    const next = at + 1 + Math.floor(random() * 64);
    events.push(...framing.push(bytes.subarray(at, next)).flatMap(read));
    at = next;
  }
  events.push(...framing.end().flatMap(read));
  return events;
}

function expectAnswer(events: readonly AdapterEvent[], recording: ProviderRecording, dialect: Dialect): void {
  const expected = recording.expect;
  expectOrder(events);
  const read = answer(events);
  expect(read.text).toBe(expected.text + expected.refusal);
  expect(read.reasoning).toBe(expected.reasoning);
  expect(read.calls).toEqual(
    recordedCalls(expected).map(({ id, name, arguments: text }) => ({
      id: id ?? expect.stringMatching(/^call_/),
      name,
      arguments: text,
    })),
  );
  expectIdentity(events, expected);
  expectUsage(read.usage, expected);
  expectStates(events, expected);
  expectEnd(events, recording, dialect);
}

/** Parts begin in the order of their numbers and end once; `finish` comes once, and behind it at most usage and `end`. */
function expectOrder(events: readonly AdapterEvent[]): void {
  const beginnings = [...new Set(deltas(events).map(({ index }) => index))];
  expect(beginnings).toEqual(beginnings.map((_, position) => position));
  const finished = deltas(events).filter(({ kind }) => kind === 'part_finished');
  expect(new Set(finished.map(({ index }) => index)).size).toBe(finished.length);
  expect(deltas(events).filter((delta) => 'text' in delta && delta.text === '')).toEqual([]);
  const finish = events.findIndex(({ type }) => type === 'finish');
  if (finish >= 0) {
    expect(['usage', 'end']).toEqual(expect.arrayContaining(events.slice(finish + 1).map(({ type }) => type)));
    expect(finished.length).toBe(beginnings.length);
  }
  const last = events.findIndex(({ type }) => type === 'failure' || type === 'end');
  expect(last === -1 || last === events.length - 1).toBe(true);
}

function expectIdentity(events: readonly AdapterEvent[], expected: Expectation): void {
  const identity = events.findLast((event) => event.type === 'identity');
  expect(identity?.model ?? '').toBe(expected.model ?? '');
  expect(identity?.responseId ?? '').toBe(expected.response_id ?? '');
}

function expectUsage(usage: ReturnType<typeof answer>['usage'], expected: Expectation): void {
  expect({
    input: usage?.inputTokens ?? null,
    cached: usage?.cachedInputTokens ?? null,
    written: usage?.cacheWriteTokens ?? null,
    output: usage?.outputTokens ?? null,
    reasoning: usage?.reasoningTokens ?? null,
  }).toEqual({
    input: expected.total_input_tokens ?? expected.input_tokens,
    cached: expected.cached_input_tokens,
    written: expected.cache_creation_input_tokens,
    output: outputTokensOf(expected),
    reasoning: expected.reasoning_tokens,
  });
  if (expected.total_tokens !== null) expect(usage?.totalTokens).toBe(expected.total_tokens);
}

function expectStates(events: readonly AdapterEvent[], expected: Expectation): void {
  if (expected.encrypted_reasoning_items === undefined) return;
  const states = deltas(events).flatMap((delta) =>
    delta.kind === 'part_finished' && delta.state ? [delta.state] : [],
  );
  const kept = states.map((state) => asRecord(JSON.parse(new TextDecoder().decode(state))));
  // The texts of a message may have a state too, which says in what phase of the answer they were written.
  const items = kept.filter((item) => item?.['type'] !== 'message');
  expect(items).toHaveLength(expected.encrypted_reasoning_items);
  for (const item of items) expect(item).toMatchObject({ type: 'reasoning', encrypted_content: expect.any(String) });
}

function expectEnd(events: readonly AdapterEvent[], { kind, expect: expected }: ProviderRecording, dialect: Dialect) {
  const { finish, failure } = answer(events);
  if (expected.error !== undefined) {
    expect(finish).toBeUndefined();
    expect([failure?.class, failure?.reason]).toEqual(dialect.inBandVerdict(expected));
    expect(JSON.stringify(failure)).not.toContain(expected.error.message);
    return;
  }
  expect(failure).toBeUndefined();
  if (kind !== 'json' && expected.done !== true) {
    expect(finish).toBeUndefined();
    return;
  }
  expect(finish).toEqual({ type: 'finish', reason: dialect.finishReason(expected), raw: expected.finish_reason });
  expect(events.at(-1)).toEqual({ type: 'end' });
}

/** Waits in milliseconds that stand in the words of an error and in no header; none is longer than an hour. */
const WAITS_IN_WORDS: ReadonlyMap<string, number> = new Map([
  ['azure-openai-err429-no-retry-after', 33_000],
  ['openai-err429-rate-limit-tpm', 3_600_000],
]);

function expectFailure(recording: ProviderRecording, dialect: Dialect, adapter: Adapter): void {
  const { status, headers, body, expect: expected } = recording;
  const wallMs = Number.MAX_SAFE_INTEGER;
  const failure = adapter.failure({ status, headers, body, wallMs });
  expect([failure.class, failure.reason]).toEqual(dialect.verdict(recording));
  expect(failure.httpStatus).toBe(status);
  const hints = [Number(expected.retry_after ?? Number.NaN) * 1_000, Number(expected.retry_after_ms ?? Number.NaN)];
  const known = hints.filter((hint) => !Number.isNaN(hint));
  const waitMs = known.length === 0 ? WAITS_IN_WORDS.get(recording.id) : Math.max(...known);
  expect(failure.retryAfterMs).toBe(waitMs);
  expect(failure.repeatIsUseless).toBe(expected.should_retry === 'false' ? true : undefined);
  if (typeof expected.message === 'string' && expected.message !== '') {
    expect(JSON.stringify(failure)).not.toContain(expected.message);
  }
}

/** One line per provider and category: recordings that passed, of those that were tried. */
function countTable(): string {
  const tried = countByCategory(subjects.map(({ recording }) => recording));
  const good = countByCategory(passed);
  const lines = [...tried.keys()]
    .sort((a, b) => a.localeCompare(b))
    .map((key) => `${key.padEnd(58)} ${String(good.get(key) ?? 0)}/${String(tried.get(key))}`);
  return ['provider and dialect, category: passed/tried', ...lines].join('\n');
}

function countByCategory(recordings: readonly ProviderRecording[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { provider, dialect, kind, categories } of recordings) {
    for (const category of new Set(['all', `kind-${kind}`, ...categories])) {
      const key = `${provider} ${dialect}`.padEnd(34) + category;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return counts;
}
