import { mulberry32 } from '../../support/virtual-runtime.ts';
import { Dice, seedOf } from '../dice.ts';
import type { CancelPhase, Fault, FaultKind, FaultShape, Reading, SimRequest, Tape } from '../tape.ts';

/** Targets of every scenario, in the order of every chain. */
export const TARGETS = ['a', 'b', 'c', 'd', 'e'] as const;

/** What a target bears; absent: everything. */
export interface Capacity {
  /** Calls at a time; more are refused with 503. */
  readonly inFlight?: number;
  /** Calls in each window; more are refused with 429 and the time until the next one. */
  readonly perWindow?: { readonly calls: number; readonly ms: number };
}

/** A world that policies are compared in. */
export interface Scenario {
  readonly name: string;
  /** What it models, in one sentence. */
  readonly models: string;
  readonly tape: Tape;
  readonly capacity: Capacity;
  /** Whether the preset EXHAUST_FIRST is of interest. */
  readonly exhaustFirst: boolean;
  /** Whether it is about how long to wait for a target: that nobody who was well was left or blamed is worth a column. */
  readonly isOfWaits: boolean;
  /** The least that a person who knows these answers would let a fixed limit of a call be, in milliseconds. */
  readonly leastLimitMs: number;
}

/** How the requests of a scenario come, times in milliseconds. */
export interface Crowd {
  readonly fromMs: number;
  readonly toMs: number;
  readonly perSecond: number;
  readonly timeoutMs: number;
  readonly clientRetries?: number;
  readonly cancelShare?: number;
  readonly slowShare?: number;
  /** Who is asked, in this order; TARGETS where absent. Of several chains each request draws one. */
  readonly chains?: readonly (readonly string[])[];
  /** Sizes of the prompts in tokens, the least and the most; each factor between them is as likely as the other. */
  readonly promptTokens?: readonly [least: number, most: number];
  /** How long a model thinks over a request, the least and the most. Absent: the requests ask for no reasoning. */
  readonly thinkMs?: readonly [least: number, most: number];
}

/** One part of the faults of a scenario. */
export interface Trouble {
  readonly targets: readonly string[];
  readonly kind: FaultKind;
  readonly fromMs: number;
  readonly toMs: number;
  readonly shape?: FaultShape;
}

/** How a scenario is put together. */
export interface Draft extends Pick<Scenario, 'name' | 'models'>, Pick<Tape, 'drifts' | 'readMsPerToken'> {
  readonly crowds: readonly Crowd[];
  readonly troubles: readonly Trouble[];
  /** How long answers are and how soon they begin, where not as in every other scenario. */
  readonly answer?: Tape['answer'];
  readonly paceMs?: Tape['paceMs'];
  readonly leastLimitMs?: number;
  readonly isOfWaits?: boolean;
  readonly capacity?: Capacity;
  readonly exhaustFirst?: boolean;
}

const STEADY: FaultShape = { type: 'steady' };

/** The others want their answers whole. */
const STREAMED_SHARE = 0.7;

/** Makes a scenario from its draft; the draws depend on the seed and its name alone. */
export function scenarioOf(draft: Draft, seed: number): Scenario {
  const dice = new Dice(mulberry32(seedOf(seed, draft.name)));
  const requests = draft.crowds
    .flatMap((crowd) => arrivals(crowd, dice).map((atMs) => ({ crowd, atMs })))
    .map(({ crowd, atMs }, id) => requestOf(crowd, atMs, id, dice));
  const faults: Fault[] = [];
  for (const { targets, kind, fromMs, toMs, shape = STEADY } of draft.troubles) {
    for (const target of targets) faults.push({ id: faults.length, target, kind, fromMs, toMs, shape });
  }
  return {
    name: draft.name,
    models: draft.models,
    capacity: draft.capacity ?? {},
    exhaustFirst: draft.exhaustFirst ?? false,
    leastLimitMs: draft.leastLimitMs ?? 0,
    isOfWaits: draft.isOfWaits ?? false,
    tape: {
      seed: seedOf(seed, draft.name, 'tape'),
      config: {
        order: 'SAME_THEN_NEXT',
        jitter: 'FULL',
        maxRepeats: 4,
        guard: true,
        maxActive: 1_000,
        maxShare: 100,
        maxQueued: 100,
        sharedAccount: false,
      },
      targets: TARGETS,
      paceMs: draft.paceMs ?? { a: 400, b: 500, c: 600, d: 700, e: 800 },
      answer: draft.answer ?? { pieces: 12, gapMs: 250 },
      drifts: draft.drifts,
      readMsPerToken: draft.readMsPerToken,
      faults,
      requests: requests.toSorted((one, other) => one.atMs - other.atMs),
      wallJumps: [],
      drainAtMs: undefined,
      calmFromMs: Math.max(0, ...draft.troubles.map(({ toMs }) => toMs)),
    },
  };
}

/** Arrivals without memory: the gaps are exponential. */
function arrivals({ fromMs, toMs, perSecond }: Crowd, dice: Dice): number[] {
  const times: number[] = [];
  for (let atMs = fromMs; ;) {
    atMs += (-Math.log(1 - dice.next()) * 1_000) / perSecond;
    if (atMs >= toMs) return times;
    times.push(atMs);
  }
}

function requestOf(crowd: Crowd, atMs: number, id: number, dice: Dice): SimRequest {
  const streams = dice.chance(STREAMED_SHARE);
  return {
    id,
    atMs,
    chain: TARGETS,
    timeoutMs: crowd.timeoutMs,
    streams,
    json: !streams,
    cancel: cancelOf(crowd, dice),
    reading: streams ? readingOf(crowd, dice) : { type: 'fast' },
    refusedAs: undefined,
    clientRetries: crowd.clientRetries ?? 0,
    onBroken: 'FAIL',
    ...workOf(crowd, dice),
  };
}

/** What there is to read and to think over. Draws nothing where the crowd leaves nothing open. */
function workOf(
  { chains, promptTokens, thinkMs }: Crowd,
  dice: Dice,
): Partial<Pick<SimRequest, 'chain' | 'promptTokens' | 'thinkMs'>> {
  return {
    ...(chains === undefined ? {} : { chain: dice.pick(chains) }),
    ...(promptTokens === undefined
      ? {}
      : { promptTokens: Math.round(promptTokens[0] * (promptTokens[1] / promptTokens[0]) ** dice.next()) }),
    ...(thinkMs === undefined ? {} : { thinkMs: Math.round(thinkMs[0] + (thinkMs[1] - thinkMs[0]) * dice.next()) }),
  };
}

function cancelOf({ cancelShare = 0 }: Crowd, dice: Dice): CancelPhase {
  return dice.chance(cancelShare)
    ? { type: 'after', ms: dice.pick([50, 200, 500, 1_000, 2_000, 3_000]) }
    : { type: 'never' };
}

function readingOf({ slowShare = 0 }: Crowd, dice: Dice): Reading {
  if (!dice.chance(slowShare)) return { type: 'fast' };
  return { type: 'slow', pieces: dice.pick([2, 3, 4]), pauseMs: dice.pick([1_000, 5_000, 12_000]) };
}
