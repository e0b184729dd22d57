import type { Dice } from './dice.ts';
import type { Fault, Tape } from './tape.ts';

/** Models that only callers name. */
export const UNNAMED_MODELS: readonly string[] = ['x', 'y', 'z'];

const SICK = ['overload', 'overload', 'reset', 'silence', 'malformed', 'not_found', 'little_left'] as const;

/** Lets callers of a tape name models that nobody else knows, of which some are sick at some targets (engine rule K12). */
export function withUnnamed(tape: Tape, dice: Dice): Tape {
  if (dice.chance(0.6)) return tape;
  const requests = tape.requests.map((asked) => {
    const model = dice.chance(0.5) ? dice.pick(UNNAMED_MODELS) : undefined;
    // What goes on behind the faults is there to see that targets serve.
    return model === undefined || asked.atMs >= tape.calmFromMs ? asked : { ...asked, model };
  });
  const faults = Array.from({ length: 1 + dice.below(3) }, (_, index): Fault => {
    const fromMs = dice.chance(0.7) ? 0 : Math.round(dice.next() * tape.calmFromMs * 0.5);
    const toMs = dice.chance(0.6) ? tape.calmFromMs : Math.min(tape.calmFromMs, fromMs + 20_000);
    const [kind, model, target] = [dice.pick(SICK), dice.pick(UNNAMED_MODELS), dice.pick(tape.targets)];
    return { id: 4_000 + index, target, model, kind, fromMs, toMs, shape: { type: 'steady' } };
  });
  return { ...tape, requests, faults: [...faults, ...tape.faults] };
}
