import type { Crowd, Draft, Scenario } from './scenario.ts';
import { scenarioOf, TARGETS } from './scenario.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

/** An hour of calls, one every three seconds; faults from minute 5 to minute 50. */
const HOUR: Crowd = { fromMs: 0, toMs: 60 * MINUTE_MS, perSecond: 1 / 3, timeoutMs: 60_000 };
const FAULTY = { fromMs: 5 * MINUTE_MS, toMs: 50 * MINUTE_MS };

const DRAFTS: readonly Draft[] = [
  {
    name: 'flapping',
    models: 'The first target is down for 31 s and up for 31 s in turns, the second for 29 s, with 503.',
    crowds: [HOUR],
    troubles: [
      { targets: ['a'], kind: 'overload', ...FAULTY, shape: { type: 'flapping', everyMs: 31_000 } },
      { targets: ['b'], kind: 'overload', ...FAULTY, shape: { type: 'flapping', everyMs: 29_000 } },
    ],
    exhaustFirst: true,
  },
  {
    name: 'brown-out',
    models: 'Every target refuses a tenth of its calls with 503, at random.',
    crowds: [HOUR],
    troubles: [{ targets: TARGETS, kind: 'overload', ...FAULTY, shape: { type: 'chance', share: 0.1 } }],
  },
  {
    name: 'one-dead',
    models: 'The first target refuses connections for 45 minutes.',
    crowds: [HOUR],
    troubles: [{ targets: ['a'], kind: 'refused', ...FAULTY }],
    exhaustFirst: true,
  },
  {
    name: 'outage',
    models: 'All targets answer 503 for three minutes, then all are well again.',
    crowds: [HOUR],
    troubles: [{ targets: TARGETS, kind: 'overload', fromMs: 20 * MINUTE_MS, toMs: 23 * MINUTE_MS }],
    exhaustFirst: true,
  },
  {
    name: 'herd',
    models:
      'All targets are down for a minute, and twenty callers a second come then and for a minute more; each target bears 40 calls at a time.',
    crowds: [
      { fromMs: 0, toMs: 10 * MINUTE_MS, perSecond: 1, timeoutMs: 60_000 },
      { fromMs: 2 * MINUTE_MS, toMs: 4 * MINUTE_MS, perSecond: 20, timeoutMs: 60_000 },
    ],
    troubles: [{ targets: TARGETS, kind: 'overload', fromMs: 2 * MINUTE_MS, toMs: 3 * MINUTE_MS }],
    capacity: { inFlight: 40 },
    exhaustFirst: true,
  },
  {
    name: 'retrying-clients',
    models:
      'Four callers a second whose own library tries three times more, while for two minutes half of the calls to every target fail; a target bears 40 calls at a time.',
    crowds: [{ fromMs: 0, toMs: 8 * MINUTE_MS, perSecond: 4, timeoutMs: 30_000, clientRetries: 3 }],
    troubles: [
      {
        targets: TARGETS,
        kind: 'overload',
        fromMs: 2 * MINUTE_MS,
        toMs: 4 * MINUTE_MS,
        shape: { type: 'chance', share: 0.5 },
      },
    ],
    capacity: { inFlight: 40 },
    exhaustFirst: true,
  },
  {
    name: 'rate-limits',
    models:
      'Each target takes six calls a minute and answers others with 429 and the seconds until the next minute; twenty come.',
    crowds: [HOUR],
    troubles: [],
    capacity: { perWindow: { calls: 6, ms: MINUTE_MS } },
  },
  {
    name: 'silence',
    models:
      'The first target accepts calls, sends headers, and then nothing for 45 minutes; a third of the calls to the second stay without headers too.',
    crowds: [HOUR],
    troubles: [
      { targets: ['a'], kind: 'headers_only', ...FAULTY },
      { targets: ['b'], kind: 'silence', ...FAULTY, shape: { type: 'chance', share: 1 / 3 } },
    ],
    isOfWaits: true,
  },
  {
    name: 'cut-streams',
    models:
      'A tenth of the answers of every target end after two thirds with a reset connection, another tenth of the first end there as if they were whole, without the end marker.',
    crowds: [HOUR],
    troubles: [
      { targets: ['a'], kind: 'cut_late', ...FAULTY, shape: { type: 'chance', share: 0.1 } },
      { targets: ['a'], kind: 'cut_clean_late', ...FAULTY, shape: { type: 'chance', share: 0.2 } },
      { targets: ['b', 'c', 'd', 'e'], kind: 'cut_late', ...FAULTY, shape: { type: 'chance', share: 0.1 } },
    ],
  },
  {
    name: 'stalls',
    models: 'A tenth of the answers of the first two targets stop after two thirds and never go on.',
    crowds: [HOUR],
    troubles: [{ targets: ['a', 'b'], kind: 'stall_late', ...FAULTY, shape: { type: 'chance', share: 0.1 } }],
  },
  {
    name: 'slow-readers',
    models:
      'Half of the callers read a few words and pause for up to 12 s, again and again; a twentieth of all calls fail.',
    crowds: [{ ...HOUR, timeoutMs: 180_000, slowShare: 0.5 }],
    troubles: [{ targets: TARGETS, kind: 'overload', ...FAULTY, shape: { type: 'chance', share: 0.05 } }],
  },
  {
    name: 'short-deadlines',
    models: 'Callers give 8 s for an answer that takes four, and the first target is silent for 45 minutes.',
    crowds: [{ ...HOUR, timeoutMs: 8 * SECOND_MS }],
    troubles: [{ targets: ['a'], kind: 'silence', ...FAULTY }],
    isOfWaits: true,
  },
  {
    name: 'two-second-deadlines',
    models:
      'Callers give 2 s for an answer that begins after 0.3 to 0.6 s and takes half a second, and the first target is silent for 45 minutes.',
    crowds: [{ ...HOUR, timeoutMs: 2 * SECOND_MS }],
    answer: { pieces: 5, gapMs: 100 },
    paceMs: { a: 400, b: 420, c: 430, d: 430, e: 430 },
    troubles: [{ targets: ['a'], kind: 'silence', ...FAULTY }],
    isOfWaits: true,
  },
  {
    name: 'thinking',
    models:
      'Two models that think for 60 to 110 s, in silence behind a startup event; half of the callers ask the one first, half the other, which for 22 minutes accepts calls and sends nothing, then for 23 sends headers and nothing.',
    crowds: [
      {
        ...HOUR,
        timeoutMs: 5 * MINUTE_MS,
        thinkMs: [60 * SECOND_MS, 110 * SECOND_MS],
        chains: [
          ['a', 'b'],
          ['b', 'a'],
        ],
      },
    ],
    troubles: [
      { targets: ['b'], kind: 'silence', fromMs: FAULTY.fromMs, toMs: 27 * MINUTE_MS },
      { targets: ['b'], kind: 'head_alone', fromMs: 27 * MINUTE_MS, toMs: FAULTY.toMs },
    ],
    leastLimitMs: 120 * SECOND_MS,
    isOfWaits: true,
  },
  {
    name: 'slow-drift',
    models:
      'The first words of the first target come after 0.4 s, within ten minutes after 6 s, stay so for twenty, and come back within ten; nothing is at fault.',
    crowds: [HOUR],
    troubles: [],
    drifts: {
      a: [
        { atMs: 10 * MINUTE_MS, paceMs: 400 },
        { atMs: 20 * MINUTE_MS, paceMs: 6_000 },
        { atMs: 40 * MINUTE_MS, paceMs: 6_000 },
        { atMs: 50 * MINUTE_MS, paceMs: 400 },
      ],
    },
    isOfWaits: true,
  },
  {
    name: 'prompt-sizes',
    models:
      'Prompts have 500 to 200,000 tokens, of which a target reads 10,000 in a second; the first target is silent for 20 minutes.',
    crowds: [{ ...HOUR, timeoutMs: 120 * SECOND_MS, promptTokens: [500, 200_000] }],
    readMsPerToken: 0.1,
    troubles: [{ targets: ['a'], kind: 'silence', fromMs: 20 * MINUTE_MS, toMs: 40 * MINUTE_MS }],
    leastLimitMs: 45 * SECOND_MS,
    isOfWaits: true,
  },
  {
    name: 'cancels',
    models: 'A third of the callers leave within three seconds, and a tenth of all calls fail.',
    crowds: [{ ...HOUR, cancelShare: 1 / 3 }],
    troubles: [{ targets: TARGETS, kind: 'overload', ...FAULTY, shape: { type: 'chance', share: 0.1 } }],
  },
];

/** Names of all scenarios, in their order. */
export const SCENARIO_NAMES: readonly string[] = DRAFTS.map(({ name }) => name);

/** Makes a scenario by its name. */
export function makeScenario(name: string, seed: number): Scenario {
  const draft = DRAFTS.find((candidate) => candidate.name === name);
  if (draft === undefined) throw new Error(`no scenario ${name}`);
  return scenarioOf(draft, seed);
}
