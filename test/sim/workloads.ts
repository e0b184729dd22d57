import type { Dice } from './dice.ts';
import type { SimRequest, Tape } from './tape.ts';

const PROMPTS_TOKENS = [0, 500, 4_000, 30_000, 200_000];
const THOUGHTS_MS = [0, 400, 8_000, 45_000, 100_000];
/** How much slower a target becomes that drifts. */
const SLOWER = [3, 5, 15];
/** A pace that nobody would call sick, in milliseconds. */
const SLOWEST_MS = 6_000;
const HURRIED_MS = 2_000;

/**
 * Gives a tape other work, of each kind by chance: prompts of sizes, requests that are thought over, a target that becomes slower for a
 * time, callers in a hurry, a single target, headers that stay alone. What goes on behind the faults stays plain: it is there to see
 * that targets serve.
 */
export function withWorkloads(tape: Tape, dice: Dice): Tape {
  if (dice.chance(0.5)) return tape;
  const kinds = [withPrompts, withThoughts, withDrift, withHurry, withOneTarget, withHeadsAlone];
  return kinds.reduce((drawn, kind) => (dice.chance(0.3) ? kind(drawn, dice) : drawn), tape);
}

function withPrompts(tape: Tape, dice: Dice): Tape {
  const readMsPerToken = dice.pick([0.02, 0.1]);
  return { ...changed(tape, (asked) => ({ ...asked, promptTokens: dice.pick(PROMPTS_TOKENS) })), readMsPerToken };
}

function withThoughts(tape: Tape, dice: Dice): Tape {
  // Of one model some requests ask for reasoning and others do not.
  return changed(tape, (asked) => (dice.chance(0.4) ? asked : { ...asked, thinkMs: dice.pick(THOUGHTS_MS) }));
}

/** One target becomes slower and is itself again before the calm. */
function withDrift(tape: Tape, dice: Dice): Tape {
  const target = dice.pick(tape.targets);
  const usualMs = tape.paceMs[target] ?? 0;
  const slowMs = Math.min(SLOWEST_MS, usualMs * dice.pick(SLOWER));
  const [from, slow, still, back] = [0, 0.3, 0.6, 0.9].map((share) => share * tape.calmFromMs);
  const points = [from, slow, still, back].map((atMs = 0, index) => {
    return { atMs, paceMs: index === 1 || index === 2 ? slowMs : usualMs };
  });
  return { ...tape, drifts: { [target]: points } };
}

function withHurry(tape: Tape, dice: Dice): Tape {
  return changed(tape, (asked) => (dice.chance(0.7) ? { ...asked, timeoutMs: HURRIED_MS } : asked));
}

function withOneTarget(tape: Tape, dice: Dice): Tape {
  const target = dice.pick(tape.targets);
  return changed(tape, (asked) => ({ ...asked, chain: [target] }));
}

function withHeadsAlone(tape: Tape): Tape {
  const faults = tape.faults.map((fault) =>
    fault.kind === 'headers_only' || fault.kind === 'silence' ? { ...fault, kind: 'head_alone' as const } : fault,
  );
  return { ...tape, faults };
}

function changed(tape: Tape, change: (asked: SimRequest) => SimRequest): Tape {
  return { ...tape, requests: tape.requests.map((asked) => (asked.atMs >= tape.calmFromMs ? asked : change(asked))) };
}
