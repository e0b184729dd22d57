import { describe, expect, test } from 'vitest';

import { AttemptKind } from '../../gen/understudy/v1/routing_pb.ts';
import { UsageSource } from '../../gen/understudy/v1/usage_pb.ts';
import type { ChaosStep } from '../support/chaos-upstream.ts';
import { chunk, lastChunk, respond } from '../support/chaos-upstream.ts';
import type { AskedUpstream, BenchAnswer } from '../support/failover-bench/bench-answers.ts';
import {
  LEAD_WORDS,
  malformed,
  SECOND_WORDS,
  streamed,
  textOfWords,
  whole,
} from '../support/failover-bench/bench-answers.ts';
import type { BenchStage, BenchWay, TimedCall } from '../support/failover-bench/bench-stage.ts';
import { benchStage } from '../support/failover-bench/bench-stage.ts';
import { FORMS, OPENAI } from '../support/failover-bench/wire-forms.ts';
import { errorAnswer, STREAM_HEAD } from '../support/openai-bodies.ts';
import { counted } from '../support/stream-text.ts';

const WAYS: readonly BenchWay[] = ['streamed', 'unary'];
const DEADLINE_MS = 120_000;
const END: ChaosStep = { do: 'end' };
const RESET: ChaosStep = { do: 'reset' };

interface Named {
  readonly name: string;
  readonly answer: BenchAnswer;
}

/** What breaks an answer off behind its first words. */
const BREAKS: readonly Named[] = [
  { name: 'a cut', answer: (asked) => streamed(asked, { words: 40, last: [END] }) },
  { name: 'a stall', answer: (asked) => streamed(asked, { words: 20, last: [asked.wait(200_000)] }) },
  { name: 'a malformed event', answer: malformed },
  { name: 'an error', answer: (asked) => streamed(asked, { words: 30, last: [chunk(errorEvent(asked))] }) },
];

/** What the second target does instead of answering, the first words that came of it included. */
const FAULTS: readonly Named[] = [
  { name: 'a 503', answer: () => errorAnswer(503, 'overloaded') },
  { name: 'a 429 without Retry-After', answer: () => errorAnswer(429, 'rate_limit_exceeded') },
  { name: 'a 429 with Retry-After', answer: () => errorAnswer(429, 'rate_limit_exceeded', { 'retry-after': '3' }) },
  { name: 'a reset before headers', answer: () => [RESET] },
  { name: 'a page of HTML', answer: () => [respond(200, 'text/html', '<html></html>')] },
  { name: 'headers and a reset', answer: () => [STREAM_HEAD, RESET] },
  { name: 'a beginning without words', answer: (asked) => streamed(asked, { words: 0, last: [END] }) },
  {
    name: 'a reset behind its first word',
    answer: (asked) => streamed(asked, { of: SECOND_WORDS, words: 1, last: [END] }),
  },
  { name: 'a malformed first event', answer: ({ form }) => [STREAM_HEAD, chunk(form.stream.malformed), lastChunk] },
  { name: 'silence', answer: ({ wait }) => [wait(200_000), RESET] },
];

describe.each(WAYS)('%s', (way) => {
  describe.each(BREAKS)('the first target gives its answer to $name, once,', (broken) => {
    test.each(FAULTS)('the second gives $name, once: the answer is whole in the end', async (fault) => {
      const stage = await benchStage(OPENAI, { lead: once(broken.answer), second: once(fault.answer, SECOND_WORDS) });
      const call = await stage.ask(way, { deadlineMs: DEADLINE_MS });
      checkWhole(call, stage);
    });
  });

  test('both targets break off for ever: told explicitly, after a few attempts, with all of them in the trail', async () => {
    const breaks =
      (words: readonly string[]): BenchAnswer =>
      (asked) =>
        streamed(asked, { of: words, words: 10, last: [END] });
    const stage = await benchStage(OPENAI, { lead: breaks(LEAD_WORDS), second: breaks(SECOND_WORDS) });
    const { error, attempts, events } = await stage.ask(way, { deadlineMs: DEADLINE_MS });
    expect(error?.code).toMatch(/^(?:ABORTED|UNAVAILABLE)$/);
    const asked = stage.lead.requestCount + stage.second.requestCount;
    expect(attempts).toHaveLength(asked);
    // Two first visits and four repeats (engine rule B3).
    expect([asked >= 2, asked <= 6]).toEqual([true, true]);
    // What came counts up to the last word that it begins anew.
    const texts = counted(events).flatMap(({ event }) => (event.case === 'textDelta' ? [event.value.text] : []));
    const all = [LEAD_WORDS, SECOND_WORDS].map(textOfWords);
    expect(all.some((text) => text.startsWith(texts.join('')))).toBe(true);
  });

  test.each([2, 3, 4])(
    'the answer breaks off %i times at two targets in turns and is whole in the end',
    async (times) => {
      let breaks = 0;
      const next =
        (words: readonly string[]): BenchAnswer =>
        (asked) => {
          breaks += 1;
          return breaks > times ? whole(asked, words) : streamed(asked, { of: words, words: 5 * breaks, last: [END] });
        };
      const stage = await benchStage(OPENAI, { lead: next(LEAD_WORDS), second: next(SECOND_WORDS) });
      const call = await stage.ask(way, { deadlineMs: DEADLINE_MS });
      checkWhole(call, stage);
      expect(call.attempts).toHaveLength(times + 1);
    },
  );
});

describe.each(FORMS)('$name', (form) => {
  describe.each(WAYS)('%s', (way) => {
    test('a tool call cut in its arguments is made anew, whole', async () => {
      const said = ['{"to": "', 'Bob", ', '"amount": 2}'];
      const calling = (pieces: readonly string[], ...last: readonly ChaosStep[]): readonly ChaosStep[] => [
        STREAM_HEAD,
        chunk(form.stream.startup),
        ...form.toolCall('transfer', pieces).map((event) => chunk(event)),
        ...last,
      ];
      const stage = await benchStage(form, {
        lead: () => calling(['{"to": "A', 'lice", "am'], RESET),
        second: () => calling(said, chunk(form.stream.end), lastChunk),
      });
      const { answer, events } = await stage.ask(way, { deadlineMs: DEADLINE_MS });
      expect(answer?.target).toBe('second');
      const streamedArguments = counted(events).map(({ event: { case: name, value } }) =>
        name === 'toolCallDelta' ? value.argumentsFragment : '',
      );
      const parts = answer !== undefined && 'message' in answer ? (answer.message?.content ?? []) : [];
      const wholeArguments = parts.map(({ part }) => (part.case === 'toolCall' ? part.value.argumentsJson : ''));
      expect([...streamedArguments, ...wholeArguments].join('')).toBe(said.join(''));
    });

    test('all words without an end marker are no whole answer, though they are counted', async () => {
      const end = form.stream.end
        .split('\n\n')
        .find((event) => event.includes('"usage"') && !event.includes('completed'));
      const stage = await benchStage(form, {
        lead: (asked) =>
          asked.streams
            ? streamed(asked, { of: [...LEAD_WORDS, 'lost'], words: 60, last: [chunk(`${end ?? ':'}\n\n`), lastChunk] })
            : whole(asked),
      });
      const call = await stage.ask(way, { deadlineMs: DEADLINE_MS });
      expect(call.answer?.target).toBe('second');
      checkWhole(call, stage);
    });
  });
});

/** An answer that fails once; later ones are whole. */
function once(fault: BenchAnswer, words: readonly string[] = LEAD_WORDS): BenchAnswer {
  return (asked) => (asked.attempt === 1 ? fault(asked) : whole(asked, words));
}

function errorEvent({ form }: AskedUpstream): string {
  const words = { message: 'Words of the provider.', code: 'server_error', param: null };
  const isResponses = form.target.api === 'responses';
  return `data: ${JSON.stringify(isResponses ? { type: 'error', ...words } : { error: words })}\n\n`;
}

/** The whole answer of one target, once; every call of an upstream in the trail, and all of them on the bill. */
function checkWhole({ answer, text, error, attempts }: TimedCall, { lead, second }: BenchStage): void {
  expect(error).toBeUndefined();
  expect(text).toBe(textOfWords(answer?.target === 'lead' ? LEAD_WORDS : SECOND_WORDS));
  expect(answer?.usage).toMatchObject({ inputTokens: 9, outputTokens: 3, source: UsageSource.REPORTED });
  const made = attempts.filter(({ kind }) => kind !== AttemptKind.SKIPPED);
  expect(made).toHaveLength(lead.requestCount + second.requestCount);
  const sum = attempts.reduce((total, { cost }) => total + (cost?.nanoUsd ?? 0n), 0n);
  expect(answer?.cost?.nanoUsd).toBe(sum);
}
