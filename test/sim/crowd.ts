import type { Dice } from './dice.ts';
import type { Tape } from './tape.ts';

/** More requests than this at a time no usual tape has: there nothing is scarce. */
const ROOMY = 100;

/** Lets the requests of a tape come from several callers, one of whom wants most; and where slots are scarce, varies how scarce. */
export function crowded(tape: Tape, dice: Dice): Tape {
  if (dice.chance(0.25)) return tape;
  const others = Array.from({ length: 1 + dice.below(3) }, (_, index) => `caller-${index}`);
  const requests = tape.requests.map((asked) => ({ ...asked, key: dice.chance(0.6) ? 'greedy' : dice.pick(others) }));
  if (tape.config.maxActive > ROOMY) return { ...tape, requests };
  const scarcity = dice.pick([
    { maxActive: 4, maxQueued: 3 },
    { maxActive: 2, maxQueued: 100 },
    { maxActive: 6, maxQueued: 8 },
    { maxActive: 9, maxQueued: 12 },
  ]);
  return { ...tape, requests, config: { ...tape.config, ...scarcity, maxShare: dice.pick([80, 50, 50]) } };
}
