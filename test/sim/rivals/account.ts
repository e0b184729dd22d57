import type { CallFacts } from '../sim-call.ts';
import type { FaultKind } from '../tape.ts';
import type { History, Story } from './live.ts';
import type { Scenario } from './scenario.ts';
import { heldOffThoughWellMs, leftThoughWell } from './figures/wronged.ts';

/** The figures of one policy in one scenario. */
export interface Account {
  /** Requests that their callers did not cancel. */
  readonly requests: number;
  /** Share of them that had a whole answer before their deadline. */
  readonly success: number;
  /** First output of streams that succeeded, since their caller first asked; undefined where none did. */
  readonly firstOutputP50Ms: number | undefined;
  readonly firstOutputP99Ms: number | undefined;
  readonly callsPerRequest: number;
  /** Tokens that providers charge for and no caller got, for each request. */
  readonly wastedTokens: number;
  /** Seconds in which at least one call went to a target that was down, summed over targets; undefined where none was. */
  readonly deadSeconds: number | undefined;
  /** The longest that a call to a silent target lasted, in milliseconds; undefined where none was silent. */
  readonly silentMs: number | undefined;
  /** Calls to targets that were well that were ended before they were complete, the caller still waiting. */
  readonly leftWell: number;
  /** For how long targets were held off that were well, in milliseconds, summed; undefined where the policy holds nobody off. */
  readonly heldOffWellMs: number | undefined;
  /** From the end of the faults until no request failed any more, in milliseconds; undefined where there are none. */
  readonly failsForMs: number | undefined;
  /** From the end of the faults until the first target answered everything again, in milliseconds; undefined where there are none. */
  readonly awayForMs: number | undefined;
  /** Answers that were wrong without a word: cut and taken for whole, put together from two, or doubled. */
  readonly corrupted: number;
}

const PROMPT_TOKENS = 500;
const TOKENS_PER_PIECE = 25;
const SILENT: ReadonlySet<FaultKind> = new Set(['silence', 'headers_only', 'head_alone']);
const DOWN: ReadonlySet<FaultKind> = new Set(['refused', 'overload', ...SILENT]);

/** Reckons up what became of a scenario. */
export function reckon(scenario: Scenario, history: History): Account {
  const { tape } = scenario;
  const { stories } = history;
  const counted = stories.filter(({ cancelledAtMs }) => cancelledAtMs === undefined);
  const good = counted.filter((story) => isGood(story));
  const firstMs = good
    .flatMap(({ asked, firstOutputAtMs }) =>
      asked.streams && firstOutputAtMs !== undefined ? [firstOutputAtMs - asked.atMs] : [],
    )
    .toSorted((one, other) => one - other);
  const calls = stories.flatMap((story) => story.calls);
  const paid = sum(stories.flatMap((story) => story.calls.map((call) => paidTokens(call, promptTokens(story)))));
  const used = sum(stories.map((story) => usedTokens(story)));
  const { calmFromMs, faults } = tape;
  const hasDead = faults.some(({ kind, shape }) => DOWN.has(kind) && shape.type !== 'chance');
  const hasSilent = faults.some(({ kind }) => SILENT.has(kind));
  const hasEnd = faults.length > 0;
  const failedAtMs = counted.flatMap((story) => (isGood(story) ? [] : [story.settledAtMs ?? 0]));
  const awayAtMs = good.flatMap((story) =>
    servingCall(story)?.target === story.asked.chain[0] ? [] : [story.asked.atMs],
  );
  return {
    requests: counted.length,
    success: good.length / counted.length,
    firstOutputP50Ms: percentile(firstMs, 0.5),
    firstOutputP99Ms: percentile(firstMs, 0.99),
    callsPerRequest: calls.length / stories.length,
    wastedTokens: (paid - used) / stories.length,
    deadSeconds: hasDead
      ? new Set(calls.flatMap((call) => (isDown(call) ? [`${call.target}${Math.floor(call.openedAtMs / 1_000)}`] : [])))
          .size
      : undefined,
    silentMs: hasSilent ? Math.max(0, ...calls.map((call) => silentMs(call))) : undefined,
    leftWell: leftThoughWell(history),
    heldOffWellMs: heldOffThoughWellMs(scenario, history),
    failsForMs: hasEnd ? Math.max(0, ...failedAtMs.map((atMs) => atMs - calmFromMs)) : undefined,
    awayForMs: hasEnd ? Math.max(0, ...awayAtMs.map((atMs) => atMs - calmFromMs)) : undefined,
    corrupted: stories.filter((story) => isCorrupted(story)).length,
  };

  /** Whether a call met a target that answered nobody. */
  function isDown({ target, plan, openedAtMs }: CallFacts): boolean {
    return faults.some(
      (fault) =>
        fault.target === target &&
        fault.shape.type !== 'chance' &&
        DOWN.has(fault.kind) &&
        plan.fault === fault.kind &&
        openedAtMs >= fault.fromMs &&
        openedAtMs < fault.toMs,
    );
  }
}

/** How long a call to a silent target lasted. */
function silentMs({ plan, openedAtMs, closedAtMs }: CallFacts): number {
  return plan.fault !== undefined && SILENT.has(plan.fault) ? (closedAtMs ?? openedAtMs) - openedAtMs : 0;
}

function isGood(story: Story): boolean {
  return story.ending?.ok === true && !isCorrupted(story);
}

function isCorrupted(story: Story): boolean {
  const isDoubled = new Set(story.pieces).size < story.pieces.length;
  const isCut = story.ending?.ok === true && servingCall(story) === undefined;
  return story.wasSpliced || isDoubled || isCut;
}

/** The call whose whole answer the caller has. */
function servingCall(story: Story): CallFacts | undefined {
  const text = story.pieces.join(' ');
  return story.calls.find((call) => call.sawTerminal && call.texts.join('').trim() === text);
}

function promptTokens({ asked }: Story): number {
  return asked.promptTokens ?? PROMPT_TOKENS;
}

function paidTokens(call: CallFacts, prompt: number): number {
  const { plan, timing, texts } = call;
  const pieces = texts.join('').split(' ').length - 1;
  if (pieces > 0 || (timing.streams && call.bytes > 0)) return prompt + pieces * TOKENS_PER_PIECE;
  const isAnswered = plan.script.some(({ event }) => event.type === 'headers');
  if (!isAnswered) return 0;
  if (timing.streams) return call.closedAtMs === undefined || headersCame(call) ? prompt : 0;
  // Nobody stops to write a JSON answer because its reader has gone.
  return prompt + writtenPieces(call) * TOKENS_PER_PIECE;
}

function headersCame({ plan, openedAtMs, closedAtMs }: CallFacts): boolean {
  return (closedAtMs ?? Number.POSITIVE_INFINITY) - openedAtMs >= (plan.script[0]?.afterMs ?? 0);
}

/** How long the JSON answer of a call that ended without it would have been, or was when it broke. */
function writtenPieces({ plan }: CallFacts): number {
  const whole = plan.script.reduce(
    (pieces, { event }) => pieces + (event.type === 'output' ? event.value.split(' ').length - 1 : 0),
    0,
  );
  return whole > 0 ? whole : BROKEN_PIECES;
}

/** Two thirds of an answer of the usual length. */
const BROKEN_PIECES = 8;

function usedTokens(story: Story): number {
  const isUsed = isGood(story) || (story.cancelledAtMs !== undefined && story.pieces.length > 0);
  return isUsed ? promptTokens(story) + story.pieces.length * TOKENS_PER_PIECE : 0;
}

function percentile(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
