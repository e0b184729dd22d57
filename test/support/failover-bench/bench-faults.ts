import { errorAnswer } from '../openai-bodies.ts';
import type { ChaosStep } from '../chaos-upstream.ts';
import type { BenchAnswer } from './bench-answers.ts';
import {
  cutJson,
  jsonHead,
  LEAD_WORDS,
  malformed,
  malformedJson,
  SECOND_WORDS,
  streamed,
  textOfWords,
  whole,
  withoutDone,
} from './bench-answers.ts';

/** One fault of Failover Bench, and what a caller and the sick target may expect of a gateway with a healthy second target. */
export interface BenchFault {
  /** The bench's number. */
  readonly id: string;
  readonly name: string;
  readonly lead: BenchAnswer;
  /** Default: a whole answer. */
  readonly second?: BenchAnswer;
  /** What the caller allows, in milliseconds: the bench counts what takes longer as a hang. */
  readonly deadlineMs: number;
  /** Within how many milliseconds the answer is there. */
  readonly withinMs: number;
  /** The same where nothing tells slow from dead: the model may think, or its answer comes in one piece. */
  readonly withinMsUnseen?: number;
  /** Who answers; nobody: the caller is told why not. */
  readonly answeredBy: 'lead' | 'second' | 'nobody';
  /** How often the sick target is asked, at least and at most. */
  readonly asked: readonly [least: number, most: number];
  /** How much later than the first the second attempt comes at least, in milliseconds. */
  readonly leastGapMs?: number;
}

const REFUSES_PREFILL: BenchAnswer = (asked) =>
  asked.isPrefilled ? errorAnswer(400, 'invalid_prefill') : whole(asked, SECOND_WORDS);

/**
 * The faults of Failover Bench, methodology 0.1 (github.com/failoverbench/failoverbench, scenarios/catalogue.yaml), by its
 * numbers, with its times (profile `full`) and what it asks of a pass, advice included; S15 is `flaps`. The bench takes S06 for
 * passed within 100 s, and says nothing of how quick the quick ones are: 45 s and 4 s are ours, and so is that a sick target is
 * asked twice at most where another is well.
 */
export const BENCH_FAULTS: readonly BenchFault[] = [
  {
    id: 'S01',
    name: '429 with Retry-After, once',
    lead: (asked) =>
      asked.attempt === 1 ? errorAnswer(429, 'rate_limit_exceeded', { 'retry-after': '2' }) : whole(asked),
    deadlineMs: 20_000,
    withinMs: 4_000,
    answeredBy: 'lead',
    asked: [2, 2],
    leastGapMs: 1_800,
  },
  {
    id: 'S02',
    name: '429 without Retry-After, for ever',
    lead: () => errorAnswer(429, 'rate_limit_exceeded'),
    deadlineMs: 40_000,
    withinMs: 4_000,
    answeredBy: 'second',
    asked: [1, 2],
  },
  {
    id: 'S03',
    name: '500 once',
    lead: (asked) => (asked.attempt === 1 ? errorAnswer(500, null) : whole(asked)),
    deadlineMs: 20_000,
    withinMs: 4_000,
    answeredBy: 'lead',
    asked: [2, 2],
  },
  {
    id: 'S04',
    name: '503 for ever',
    lead: () => errorAnswer(503, 'overloaded'),
    deadlineMs: 40_000,
    withinMs: 4_000,
    answeredBy: 'second',
    asked: [1, 2],
  },
  {
    id: 'S05',
    name: 'a reset before headers, once',
    lead: (asked) => (asked.attempt === 1 ? [{ do: 'reset' }] : whole(asked)),
    deadlineMs: 20_000,
    withinMs: 4_000,
    answeredBy: 'lead',
    asked: [2, 2],
  },
  {
    id: 'S06',
    name: 'no response at all',
    lead: ({ wait }) => [wait(120_000), { do: 'reset' }],
    deadlineMs: 130_000,
    withinMs: 45_000,
    answeredBy: 'second',
    asked: [1, 1],
  },
  {
    id: 'S07',
    name: 'a first word after 20 s',
    lead: (asked) =>
      asked.streams ? streamed(asked, { beforeWords: [asked.wait(20_000)] }) : [asked.wait(20_000), ...whole(asked)],
    deadlineMs: 60_000,
    withinMs: 15_000,
    withinMsUnseen: 45_000,
    answeredBy: 'second',
    asked: [1, 1],
  },
  {
    id: 'S08',
    name: 'a stream cut after 40 of 60 words',
    lead: (asked) => (asked.streams ? streamed(asked, { words: 40, last: [{ do: 'end' }] }) : cutJson(asked)),
    deadlineMs: 40_000,
    withinMs: 4_000,
    answeredBy: 'second',
    asked: [1, 2],
  },
  {
    id: 'S09',
    name: 'a stream that stalls after 20 words',
    lead: (asked) => {
      const stall: readonly ChaosStep[] = [asked.wait(30_000), { do: 'end' }];
      if (asked.streams) return streamed(asked, { words: 20, last: stall });
      return [jsonHead(Buffer.byteLength(asked.form.json(textOfWords(LEAD_WORDS)))), ...stall];
    },
    deadlineMs: 70_000,
    withinMs: 45_000,
    answeredBy: 'second',
    asked: [1, 1],
  },
  {
    id: 'S10',
    name: 'a malformed event in the middle',
    lead: (asked) => (asked.streams ? malformed(asked) : malformedJson(asked)),
    deadlineMs: 30_000,
    withinMs: 4_000,
    answeredBy: 'second',
    asked: [1, 1],
  },
  {
    id: 'S11',
    name: 'a stream that ends without [DONE]',
    lead: (asked) => (asked.streams ? streamed(asked, { end: withoutDone(asked.form.stream.end) }) : whole(asked)),
    deadlineMs: 30_000,
    withinMs: 8_000,
    answeredBy: 'lead',
    asked: [1, 1],
  },
  {
    id: 'S12',
    name: 'a prompt that is too long for the model',
    lead: () => errorAnswer(400, 'context_length_exceeded'),
    deadlineMs: 20_000,
    withinMs: 4_000,
    answeredBy: 'second',
    asked: [1, 1],
  },
  {
    id: 'S13',
    name: 'a prompt that the content filter refuses',
    lead: () => errorAnswer(400, 'content_policy_violation'),
    deadlineMs: 20_000,
    withinMs: 4_000,
    answeredBy: 'nobody',
    asked: [1, 1],
  },
  {
    id: 'S14',
    name: 'a stream cut in the middle, before a second target that takes no prefill',
    lead: (asked) => (asked.streams ? streamed(asked, { words: 40, last: [{ do: 'end' }] }) : cutJson(asked)),
    second: REFUSES_PREFILL,
    deadlineMs: 40_000,
    withinMs: 4_000,
    answeredBy: 'second',
    asked: [1, 2],
  },
  {
    id: 'S16',
    name: 'who is named and billed where 503 lasts',
    lead: () => errorAnswer(503, 'overloaded'),
    deadlineMs: 40_000,
    withinMs: 4_000,
    answeredBy: 'second',
    asked: [1, 2],
  },
];

/** S15, which is a sequence of calls: 503 for so long, then well. */
export function flaps(downMs: number): BenchAnswer {
  return (asked) => (asked.atMs < downMs ? errorAnswer(503, 'overloaded') : whole(asked));
}
