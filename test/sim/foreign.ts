import type { Dice } from './dice.ts';
import type { Fault, Tape } from './tape.ts';

/**
 * Lets other servers than their providers' own answer for some targets of a tape, and some refuse in words that nobody knows what
 * others take (class C12).
 */
export function withForeign(tape: Tape, dice: Dice): Tape {
  if (dice.chance(0.4)) return tape;
  const foreign = tape.targets.filter(() => dice.chance(0.5));
  const faults = Array.from({ length: dice.below(3) }, (_, index): Fault => {
    const fromMs = dice.chance(0.5) ? 0 : Math.round(dice.next() * tape.calmFromMs * 0.5);
    const toMs = Math.min(tape.calmFromMs, fromMs + dice.pick([5_000, 30_000, 120_000]));
    const shape = dice.chance(0.5) ? ({ type: 'steady' } as const) : ({ type: 'chance', share: 0.5 } as const);
    // Most of them where they are passed on: there is more to see.
    const target = dice.pick(foreign.length > 0 && dice.chance(0.8) ? foreign : tape.targets);
    return { id: 3_000 + index, target, kind: 'odd_refusal', fromMs, toMs, shape };
  });
  return { ...tape, faults: [...faults, ...tape.faults], config: { ...tape.config, foreign } };
}
