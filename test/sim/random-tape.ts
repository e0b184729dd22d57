import { mulberry32 } from '../support/virtual-runtime.ts';
import { crowded } from './crowd.ts';
import { Dice, seedOf } from './dice.ts';
import { disturbed } from './disturbances.ts';
import { withForeign } from './foreign.ts';
import { withPractice } from './practice.ts';
import { withSilences } from './silences.ts';
import { withUnnamed } from './unnamed.ts';
import { withWorkloads } from './workloads.ts';
import type { CancelPhase, Fault, FaultKind, FaultShape, Reading, SimRequest, Tape } from './tape.ts';

const TARGETS = ['a', 'b', 'c', 'd', 'e'];

/** Faults that a provider recovers from by itself, and those that need a person, which are rarer. */
const COMMON: readonly FaultKind[] = [
  'refused',
  'reset',
  'overload',
  'overload',
  'rate_limit',
  'rate_limit',
  'malformed',
  'silence',
  'silence',
  'headers_only',
  'keep_alives',
  'startup_error',
  'slow_start',
  'cut',
  'cut_clean',
  'stall',
  'malformed_later',
  'rate_limit_later',
  'late_terminal',
];
const RARE: readonly FaultKind[] = ['certificate', 'stale', 'quota', 'auth', 'not_found', 'conflict', 'throws'];

const HINTS_MS = [0, 300, 1_000, 1_900, 2_000, 5_000, 25_000, 45_000, 120_000];
const TIMEOUTS_MS = [5, 50, 900, 4_000, 6_000, 12_000, 20_000, 30_000, 60_000, 120_000, 7_200_000];

/** Faults end so many milliseconds behind the last request. */
const CALM_AFTER_MS = 30_000;

/** How a tape is drawn. */
export interface TapeSize {
  /** About how many requests. */
  readonly requests: number;
  /** Over how many milliseconds they come, at the longest. */
  readonly spanMs: number;
}

/** The usual size: a simulation of some minutes. */
export const USUAL_SIZE: TapeSize = { requests: 30, spanMs: 120_000 };

/** Draws a tape from a seed. */
export function randomTape(seed: number, size: TapeSize = USUAL_SIZE): Tape {
  // From sources of their own, so that what is new here leaves what was drawn as it was.
  const probed = withProbes(usualTape(seed, size), new Dice(mulberry32(seedOf(seed, 'probes'))));
  const drawn = withOddServer(probed, new Dice(mulberry32(seedOf(seed, 'odd servers'))));
  const dice = new Dice(mulberry32(seedOf(seed, 'disturbances')));
  const disturbedTape = dice.chance(0.5) ? drawn : disturbed(drawn, dice);
  const tape = crowded(disturbedTape, new Dice(mulberry32(seedOf(seed, 'crowd'))));
  const conversations = conversing(tape, new Dice(mulberry32(seedOf(seed, 'conversations'))));
  const foreign = withForeign(conversations, new Dice(mulberry32(seedOf(seed, 'foreign'))));
  const unnamed = withUnnamed(foreign, new Dice(mulberry32(seedOf(seed, 'unnamed'))));
  const workloads = withWorkloads(unnamed, new Dice(mulberry32(seedOf(seed, 'workloads'))));
  const practised = withPractice(workloads, new Dice(mulberry32(seedOf(seed, 'practice'))));
  return withSilences(practised, new Dice(mulberry32(seedOf(seed, 'silences'))));
}

/** Draws a tape in which nothing is wrong but providers, callers and the wall clock. */
export function usualTape(seed: number, size: TapeSize = USUAL_SIZE): Tape {
  const dice = new Dice(mulberry32(seed));
  const spanMs = dice.pick([2_000, size.spanMs / 4, size.spanMs]);
  // Round times make things fall into the same moment: the reply and the limit, the success and the cancel.
  const gridMs = dice.pick([1, 10, 1_000]);
  const faults = drawFaults(dice, spanMs);
  const retries = dice.chance(0.2) ? 3 : 0;
  const count = Math.max(1, Math.round(size.requests * (0.5 + dice.next())));
  const burstAtMs = dice.chance(0.3) ? Math.round(dice.next() * spanMs) : undefined;
  const requests = Array.from({ length: count }, (_, id) =>
    drawRequest(dice, id, { spanMs, gridMs, retries, burstAtMs }),
  );
  return {
    seed,
    config: {
      order: dice.weighted([
        ['SAME_THEN_NEXT', 5],
        ['NEXT_FIRST', 3],
        ['EXHAUST_FIRST', 1],
      ]),
      jitter: dice.chance(0.7) ? 'FULL' : 'NONE',
      maxRepeats: dice.pick([4, 4, 4, 2, 1, 0]),
      guard: dice.chance(0.8),
      ...dice.weighted([
        [{ maxActive: 1_000, maxQueued: 100 }, 7],
        [{ maxActive: 4, maxQueued: 3 }, 1],
        [{ maxActive: 2, maxQueued: 100 }, 1],
      ]),
      maxShare: 80,
      sharedAccount: dice.chance(0.25),
    },
    targets: TARGETS,
    paceMs: Object.fromEntries(TARGETS.map((target) => [target, dice.pick([50, 200, 400, 900])])),
    faults,
    requests: requests.toSorted((one, other) => one.atMs - other.atMs),
    wallJumps: Array.from({ length: dice.below(3) }, () => ({
      atMs: Math.round(dice.next() * spanMs),
      byMs: dice.chance(0.5) ? 3_600_000 : -3_600_000,
    })),
    drainAtMs: dice.chance(0.1) ? Math.round(dice.next() * (spanMs + 10_000)) : undefined,
    calmFromMs: spanMs + CALM_AFTER_MS,
  };
}

function withProbes(tape: Tape, dice: Dice): Tape {
  const probes = dice.weighted([
    [1, 3],
    [2, 2],
    [3, 1],
  ]);
  return { ...tape, config: { ...tape.config, probes } };
}

function withOddServer(tape: Tape, dice: Dice): Tape {
  if (dice.chance(0.6)) return tape;
  const [id, shape] = [tape.faults.length, { type: 'steady' }] as const;
  const window = { fromMs: 0, toMs: tape.calmFromMs };
  return {
    ...tape,
    faults: [...tape.faults, { id, target: dice.pick(TARGETS), kind: 'odd_server', ...window, shape }],
  };
}

/**
 * Lets most requests of half of the tapes go on with one of a few conversations, some with a wish of their own. The load behind the
 * faults has none: it is to ask every target in turn.
 */
function conversing(tape: Tape, dice: Dice): Tape {
  if (dice.chance(0.5)) return tape;
  const keys = Array.from({ length: 1 + dice.below(4) }, (_, index) => `conversation-${index}`);
  const requests = tape.requests.map((asked) => {
    if (dice.chance(0.2) || asked.atMs >= tape.calmFromMs) return asked;
    return { ...asked, affinity: { key: dice.pick(keys), wish: dice.chance(0.3) ? (asked.chain[0] ?? '') : '' } };
  });
  return { ...tape, requests };
}

function drawFaults(dice: Dice, spanMs: number): Fault[] {
  const faults: Fault[] = [];
  const endsAtMs = spanMs + CALM_AFTER_MS;
  const add = (fault: Omit<Fault, 'id'>): void =>
    void faults.push({ id: faults.length, ...fault, toMs: Math.min(fault.toMs, endsAtMs) });
  const drawKind = (): FaultKind => (dice.chance(0.85) ? dice.pick(COMMON) : dice.pick(RARE));
  const hint = (): number | undefined => (dice.chance(0.5) ? dice.pick(HINTS_MS) : undefined);
  for (let count = dice.below(6); count > 0; count--) {
    const fromMs = dice.chance(0.5) ? 0 : Math.round(dice.next() * spanMs);
    const toMs = dice.chance(0.5) ? endsAtMs : fromMs + dice.pick([5_000, 20_000, 60_000]);
    add({ target: dice.pick(TARGETS), kind: drawKind(), fromMs, toMs, shape: drawShape(dice), hintMs: hint() });
  }
  if (dice.chance(0.2)) {
    // All providers down, and up again together.
    const fromMs = Math.round((dice.next() * spanMs) / 2);
    const toMs = fromMs + dice.pick([3_000, 15_000, 45_000]);
    const kind = dice.pick(COMMON);
    const hintMs = hint();
    for (const target of TARGETS) add({ target, kind, fromMs, toMs, shape: { type: 'steady' }, hintMs });
  }
  return faults;
}

function drawShape(dice: Dice): FaultShape {
  return dice.weighted<FaultShape>([
    [{ type: 'steady' }, 5],
    [{ type: 'flapping', everyMs: 29_000 }, 1],
    [{ type: 'flapping', everyMs: 31_000 }, 1],
    [{ type: 'flapping', everyMs: 2_000 }, 1],
    [{ type: 'chance', share: 0.1 }, 2],
    [{ type: 'chance', share: 0.5 }, 2],
  ]);
}

interface Crowd {
  readonly spanMs: number;
  readonly gridMs: number;
  readonly retries: number;
  readonly burstAtMs: number | undefined;
}

function drawRequest(dice: Dice, id: number, { spanMs, gridMs, retries, burstAtMs }: Crowd): SimRequest {
  const drawnAtMs = Math.round((dice.next() * spanMs) / gridMs) * gridMs;
  const length = dice.weighted([
    [1, 1],
    [2, 2],
    [3, 2],
    [5, 4],
  ]);
  const streams = dice.chance(0.6);
  return {
    id,
    atMs: burstAtMs !== undefined && dice.chance(0.6) ? burstAtMs : drawnAtMs,
    chain: dice.chance(0.6) ? TARGETS.slice(0, length) : dice.shuffled(TARGETS).slice(0, length),
    timeoutMs: dice.chance(0.3) ? undefined : dice.pick(TIMEOUTS_MS),
    streams,
    json: !streams && dice.chance(0.3),
    cancel: drawCancel(dice),
    reading: streams ? drawReading(dice) : { type: 'fast' },
    refusedAs: dice.chance(0.04) ? dice.pick(['bad_request', 'content', 'capability'] as const) : undefined,
    clientRetries: retries,
    onBroken: dice.chance(0.5) ? 'RESTART' : 'FAIL',
  };
}

function drawCancel(dice: Dice): CancelPhase {
  if (dice.chance(0.8)) return { type: 'never' };
  if (dice.chance(0.4)) return { type: 'after', ms: dice.pick([0, 10, 100, 500, 1_000, 6_000, 12_000, 20_000]) };
  const event = dice.pick(['open', 'started', 'output', 'failed_attempt', 'terminal'] as const);
  return { type: 'at', event, ms: dice.pick([0, 0, 1, 30, 400]) };
}

function drawReading(dice: Dice): Reading {
  return dice.weighted<Reading>([
    [{ type: 'fast' }, 8],
    [{ type: 'slow', pieces: 1 + dice.below(2), pauseMs: dice.pick([20, 1_000, 35_000, 59_000]) }, 2],
    [{ type: 'never' }, 0.4],
  ]);
}
