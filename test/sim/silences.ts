import type { AttemptTiming } from '../../src/engine/port/call.ts';
import type { Dice } from './dice.ts';
import type { Fault, SilenceKind, Tape } from './tape.ts';

/** Limits without samples by what has come: no head, a head alone, a sign of life. */
const LIMITS_MS = {
  behind_signs: [40_000, 12_000, 180_000],
  without_head: [120_000, 40_000, 180_000],
  somebodys: [12_000, 12_000, 120_000],
} as const satisfies Record<SilenceKind, readonly [number, number, number]>;

/** Faults that say nothing of an answer for long, of which only some are of a dead target. */
const FAULTS = ['thinks', 'thinks', 'late_head', 'head_alone', 'silence', 'keep_alives'] as const;

/** The timers of an attempt on a target whose calls may say nothing of their answer for long. */
export function silentTiming(timing: AttemptTiming, kind: SilenceKind | undefined): AttemptTiming {
  if (kind === undefined || !timing.streams) return timing;
  const [noHeadMs, headAloneMs, firstOutputMs] = LIMITS_MS[kind];
  return { ...timing, noHeadMs, headAloneMs, firstOutputMs, signsAreSure: kind !== 'somebodys' };
}

/** Lets the models of some targets of a tape think, be loaded or read for long, and some of them do so. */
export function withSilences(tape: Tape, dice: Dice): Tape {
  if (dice.chance(0.5)) return tape;
  const silences: Record<string, SilenceKind> = {};
  for (const target of tape.targets) {
    const kind = dice.pick(['behind_signs', 'without_head', 'somebodys', 'none'] as const);
    if (kind !== 'none') silences[target] = kind;
  }
  const faults = Array.from({ length: 1 + dice.below(4) }, (_, index): Fault => {
    const fromMs = dice.chance(0.6) ? 0 : Math.round(dice.next() * tape.calmFromMs * 0.5);
    const shape = dice.chance(0.7) ? ({ type: 'steady' } as const) : ({ type: 'chance', share: 0.5 } as const);
    const [target, kind] = [dice.pick(tape.targets), dice.pick(FAULTS)];
    return { id: 5_000 + index, target, kind, fromMs, toMs: tape.calmFromMs, shape };
  });
  return { ...tape, faults: [...faults, ...tape.faults], config: { ...tape.config, silences } };
}
