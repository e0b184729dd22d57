import type { Dice } from './dice.ts';
import type { Fault, SimRequest, Tape } from './tape.ts';
import { PLAIN } from './tape.ts';

/** How many calls a target answers before it falls silent: around what it takes to know it. */
const CALLS = [18, 19, 20, 25, 40];
const TIMEOUTS_MS = [500, 900, 2_000, 2_000, 3_000, 4_000, 8_000, 20_000, 60_000];
/** Tapes that are shorter have no room for it. */
const LEAST_MS = 60_000;
const SIZES = [0, 400, 700, 3_000, 9_000, 40_000, 300_000];

/**
 * Lets one target of some tapes answer so often that its times are known, and then none or hardly any more, while callers come
 * with deadlines around what it took, and with prompts of all sizes.
 */
export function withPractice(tape: Tape, dice: Dice): Tape {
  if (dice.chance(0.8) || tape.calmFromMs < LEAST_MS) return tape;
  const target = dice.pick(tape.targets);
  const others = dice.shuffled(tape.targets.filter((other) => other !== target)).slice(0, dice.below(3));
  const streams = dice.chance(0.7);
  const kind = { streams, json: !streams && dice.chance(0.7), promptTokens: dice.pick(SIZES) };
  const isThinker = dice.chance(0.15);
  const calls = dice.pick(CALLS);
  const gapMs = dice.pick([300, 900]);
  const practice = Array.from({ length: calls }, (_, index): SimRequest => {
    return {
      ...PLAIN,
      ...kind,
      thinkMs: isThinker ? 0 : undefined,
      id: 60_000 + index,
      atMs: index * gapMs,
      chain: [target],
      timeoutMs: 30_000,
    };
  });
  const silentFromMs = calls * gapMs + 3_000;
  const toMs = Math.min(tape.calmFromMs, silentFromMs + dice.pick([15_000, 40_000, 90_000]));
  const sick = dice.pick(['silence', 'silence', 'headers_only', 'slow_start'] as const);
  const shape = dice.chance(0.8) ? ({ type: 'steady' } as const) : ({ type: 'chance', share: 0.7 } as const);
  const fault: Fault = { id: 3_000, target, kind: sick, fromMs: silentFromMs, toMs, shape };
  const pauseMs = dice.pick([0, 400, 1_500, 4_000]);
  const hurried = Array.from({ length: 16 }, (_, index): SimRequest => {
    const isLike = dice.chance(0.7);
    return {
      ...PLAIN,
      ...kind,
      promptTokens: isLike ? kind.promptTokens : dice.pick(SIZES),
      thinkMs: isThinker !== dice.chance(0.1) ? 0 : undefined,
      id: 61_000 + index,
      atMs: silentFromMs + index * pauseMs,
      chain: [target, ...others],
      timeoutMs: dice.pick(TIMEOUTS_MS),
    };
  });
  const more = [...practice, ...hurried].filter(({ atMs }) => atMs < tape.calmFromMs);
  return { ...tape, faults: [fault, ...tape.faults], requests: [...more, ...tape.requests] };
}
