import type { Failure } from '../../src/core/failure.ts';
import { mulberry32 } from '../support/virtual-runtime.ts';
import type { Script, ScriptEvent, Step } from '../support/upstream-scripts.ts';
import {
  after,
  END,
  failure,
  fails,
  headers,
  keepAlives,
  output,
  startup,
  terminal,
  usage,
} from '../support/upstream-scripts.ts';
import { Dice, seedOf } from './dice.ts';
import { paceMs, thoughtOver } from './pace.ts';
import type { Fault, FaultKind, SimRequest, Tape } from './tape.ts';

/** What one upstream call will do. */
export interface CallPlan {
  readonly script: Script;
  /** The fault that is behind it; undefined where the target is well. */
  readonly fault: FaultKind | undefined;
  /** Whether the opening itself throws. */
  readonly throws: boolean;
}

/** Where a call stands. */
export interface CallSite {
  readonly tape: Tape;
  readonly asked: SimRequest;
  readonly target: string;
  /** Which call of the request to this target it is, from 0. */
  readonly nth: number;
  /** Which try of the caller's library it belongs to. */
  readonly clientTry: number;
  readonly nowMs: number;
  readonly callId: number;
  readonly streams: boolean;
  /** Whether the request was written as an odd server wants it. */
  readonly isWrittenFor: boolean;
}

/**
 * Plans a call. Its draws depend on the tape's seed, the request and the target alone, so that a tape from which requests or
 * faults were taken leaves the others as they were.
 */
export function planCall(site: CallSite): CallPlan {
  const { tape, asked, target, nth, clientTry, nowMs, streams, isWrittenFor } = site;
  const dice = new Dice(mulberry32(seedOf(tape.seed, target, asked.id, clientTry, nth)));
  const luck = dice.next();
  const fault = tape.faults.find(
    (candidate) =>
      candidate.target === target &&
      shows(candidate, asked.model, nowMs, luck) &&
      !(isWrittenFor && candidate.kind === 'odd_server'),
  );
  const delayMs = paceMs(tape, asked, target, nowMs) * (0.6 + 0.8 * dice.next());
  if (asked.refusedAs !== undefined && (fault === undefined || fault.kind === 'slow_start')) {
    return { script: fails(asked.refusedAs, refusal(asked.refusedAs, dice), delayMs), fault: undefined, throws: false };
  }
  const answered =
    tape.answer === undefined ? healthyScript(dice, site, delayMs) : longScript(dice, site, delayMs, tape.answer);
  const healthy = thoughtOver(answered, asked, streams);
  if (fault === undefined) return { script: healthy, fault: undefined, throws: false };
  // Who answers as a whole sends no headers before.
  const isMute =
    (fault.kind === 'headers_only' || fault.kind === 'head_alone') && tape.answer !== undefined && !streams;
  const script = FAULTY[isMute ? 'silence' : fault.kind](healthy, fault, dice);
  return { script, fault: fault.kind, throws: fault.kind === 'throws' };
}

/** What a refusal of the request says; every second bad one is in words that nobody knows. */
function refusal(refusedAs: NonNullable<SimRequest['refusedAs']>, dice: Dice): Partial<Failure> {
  if (refusedAs === 'content') return { httpStatus: 400 };
  return refusedAs === 'bad_request' && dice.chance(0.5) ? { httpStatus: 422, unrecognised: true } : {};
}

/** Tells whether a fault shows at a moment; `luck` in [0, 1) decides where chance does. */
function shows({ fromMs, toMs, shape, model }: Fault, asked: string | undefined, nowMs: number, luck: number): boolean {
  if (nowMs < fromMs || nowMs >= toMs || (model !== undefined && model !== asked)) return false;
  switch (shape.type) {
    case 'steady':
      return true;
    case 'chance':
      return luck < shape.share;
    case 'flapping':
      return Math.floor((nowMs - fromMs) / shape.everyMs) % 2 === 0;
  }
}

/** A whole answer; its words name the call, so that whoever gets them knows where they come from. */
function healthyScript(dice: Dice, { callId, streams }: CallSite, delayMs: number): Script {
  const pieces = 1 + dice.below(5);
  const texts = Array.from({ length: pieces }, (_, index) => `${callId}.${index} `);
  const gapMs = dice.chance(0.1) ? 1_600 : dice.pick([0, 10, 30]);
  const body: Step[] = streams
    ? texts.map((text, index) => after(index === 0 ? delayMs * 0.5 : gapMs, output(text)))
    : [after(delayMs * 0.5, output(texts.join('')))];
  const counted = usage({ inputTokens: 7, outputTokens: pieces, totalTokens: 7 + pieces });
  const tail: Step[] = dice.weighted([
    [[after(0, counted), after(0, END)], 8],
    [[after(900, counted), after(0, END)], 1],
    // Usage that never comes, and a body that never ends.
    [[], 0.5],
    [[after(0, counted)], 0.5],
  ]);
  const head = [after(delayMs * 0.5, headers()), after(0, startup())];
  return [...head, ...body, after(gapMs, terminal()), ...tail];
}

/** An answer as long as the tape says. A JSON call shows nothing at all until it is whole. */
function longScript(
  dice: Dice,
  { callId, streams }: CallSite,
  delayMs: number,
  { pieces, gapMs }: { readonly pieces: number; readonly gapMs: number },
): Script {
  const count = Math.max(3, Math.round(pieces * (0.6 + 0.8 * dice.next())));
  const texts = Array.from({ length: count }, (_, index) => `${callId}.${index} `);
  const tail = [
    after(0, terminal()),
    after(0, usage({ inputTokens: 7, outputTokens: count, totalTokens: 7 + count })),
    after(0, END),
  ];
  if (!streams) return [after(delayMs + gapMs * count, headers()), after(0, output(texts.join(''))), ...tail];
  const body = texts.map((text, index) => after(index === 0 ? delayMs * 0.5 : gapMs, output(text)));
  return [after(delayMs * 0.5, headers()), after(0, startup()), ...body, ...tail];
}

type Spoil = (healthy: Script, fault: Fault, dice: Dice) => Script;

/** Refuses before any output, with the fault's Retry-After where `hinted`. */
function refuse(name: Parameters<typeof failure>[0], hinted = false): Spoil {
  return (_, { hintMs }, dice) => {
    const complains = name === 'overload' && dice.chance(0.3);
    const afterMs = dice.pick([5, 60, 300]);
    const repeatIsUseless = hinted && dice.chance(0.1) ? true : undefined;
    // Not every answer of the same time names the same wait.
    const isShorter = hinted && hintMs !== undefined && dice.chance(0.3);
    const retryAfterMs = isShorter ? Math.min(hintMs, 300) : hinted ? hintMs : undefined;
    return fails(name, { retryAfterMs, httpStatus: complains ? 529 : undefined, repeatIsUseless }, afterMs);
  };
}

/** Keeps the first piece of an answer and lets something else follow. */
function breakLater(...events: readonly ScriptEvent[]): Spoil {
  return (healthy, _, dice) => {
    const first = healthy.findIndex(({ event }) => event.type === 'output');
    const gapMs = dice.pick([1, 200, 3_000]);
    return [...healthy.slice(0, first + 1), ...events.map((event) => after(gapMs, event))];
  };
}

/** Keeps two thirds of an answer and lets something else follow; of a JSON call that is nothing that can be read. */
function breakLate(...events: readonly ScriptEvent[]): Spoil {
  return (healthy) => {
    const outputs = healthy.flatMap(({ event }, index) => (event.type === 'output' ? [index] : []));
    const end = outputs[Math.floor((outputs.length * 2) / 3)] ?? 0;
    return [...healthy.slice(0, end), ...events.map((event) => after(100, event))];
  };
}

const FAULTY = {
  refused: refuse('connect'),
  certificate: refuse('tls'),
  stale: refuse('stale_socket'),
  reset: refuse('reset'),
  overload: refuse('overload', true),
  rate_limit: refuse('rate_limit', true),
  quota: refuse('quota'),
  auth: refuse('auth'),
  not_found: refuse('not_found'),
  conflict: refuse('conflict'),
  malformed: refuse('protocol'),
  odd_refusal: (_healthy, _fault, dice) =>
    fails('bad_request', { httpStatus: dice.pick([400, 422]), unrecognised: true }, dice.pick([5, 60, 300])),
  silence: () => [],
  headers_only: () => [after(100, headers()), after(10, startup())],
  head_alone: () => [after(100, headers())],
  thinks: (healthy, _, dice) => {
    const first = healthy.findIndex(({ event }) => event.type === 'output');
    const waitMs = dice.pick([35_000, 90_000, 90_000]);
    return healthy.map((step, index) => (index === first ? after(waitMs, step.event) : step));
  },
  late_head: (healthy, _, dice) => {
    const waitMs = dice.pick([35_000, 39_900, 90_000]);
    return healthy.flatMap((step, index) =>
      step.event.type === 'startup' ? [] : [index === 0 ? after(waitMs, step.event) : step],
    );
  },
  keep_alives: () => keepAlives(4_000, 60),
  startup_error: () => [
    after(100, headers()),
    after(10, startup()),
    after(10, { type: 'error', failure: failure('overload') }),
  ],
  slow_start: (healthy, _, dice) => {
    const waitMs = dice.pick([3_000, 4_900, 5_000, 9_000, 11_999, 12_000, 12_001, 20_000]);
    return healthy.map((step, index) => (index === 0 ? after(waitMs, step.event) : step));
  },
  cut: breakLater({ type: 'error', failure: failure('reset') }),
  cut_clean: breakLater(END),
  stall: breakLater(),
  cut_late: breakLate({ type: 'error', failure: failure('reset') }),
  cut_clean_late: breakLate(END),
  stall_late: breakLate(),
  malformed_later: breakLater({ type: 'error', failure: failure('protocol') }),
  rate_limit_later: breakLater({ type: 'error', failure: failure('rate_limit') }),
  late_terminal: (healthy) => {
    const last = healthy.findIndex(({ event }) => event.type === 'terminal');
    return [...healthy.slice(0, last + 1), after(700, { type: 'error', failure: failure('reset') })];
  },
  odd_server: (_healthy, _fault, dice) =>
    fails('capability', { quirk: 'no store', reason: 'UNSUPPORTED_PARAMETER' }, dice.pick([5, 60, 300])),
  throws: () => [],
  little_left: (healthy, _, dice) => {
    const limit = dice.pick([1, 5, 60]);
    const remaining = Math.min(limit, dice.pick([0, 0, 1, 2, 60]));
    const resetInMs = dice.pick([0, 120, 1_500, 6_000, 30_000, 90_000]);
    const event = { ...headers(), limits: [{ dimension: 'requests', limit, remaining, resetInMs }] } as const;
    return healthy.map((step) => (step.event.type === 'headers' ? after(step.afterMs, event) : step));
  },
} as const satisfies Record<FaultKind, Spoil>;
