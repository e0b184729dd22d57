import type { Dice } from './dice.ts';
import type { Fault, OperatorAct, SimRequest, Tape } from './tape.ts';
import { PLAIN } from './tape.ts';

const STALLS_MS = [1_200, 3_000, 8_000, 20_000, 40_000];
const ACTS = ['OPEN', 'CLOSED', 'DISABLED', 'RESET', 'RESET'] as const;

/** How many requests follow when the faults have stopped, one each second. */
const AFTERMATH = 90;

/** How many requests come in one moment. */
const HERD = 25;

/** Adds what a tape has besides sick providers: operators, a process that is held up, limits told in headers, load that goes on. */
export function disturbed(tape: Tape, dice: Dice): Tape {
  const endsAtMs = tape.calmFromMs;
  const moment = (): number => Math.round(dice.next() * endsAtMs * 0.8);
  const limits: Fault[] = dice.chance(0.3)
    ? tape.targets
        .filter(() => dice.chance(0.5))
        .map((target, index) => {
          const shape = { type: 'chance', share: dice.pick([0.2, 1]) } as const;
          return { id: 1_000 + index, target, kind: 'little_left', fromMs: 0, toMs: endsAtMs, shape };
        })
    : [];
  const operator: OperatorAct[] = dice.chance(0.3)
    ? Array.from({ length: 1 + dice.below(3) }, () => {
        const fromMs = moment();
        const toMs = Math.min(endsAtMs, fromMs + dice.pick([1_000, 10_000, 60_000]));
        return { target: dice.pick(tape.targets), does: dice.pick(ACTS), fromMs, toMs };
      })
    : [];
  const stalls = dice.chance(0.3)
    ? Array.from({ length: 1 + dice.below(3) }, () => {
        const atMs = moment();
        return { atMs, forMs: Math.min(dice.pick(STALLS_MS), endsAtMs - atMs) };
      })
    : [];
  const overloads = dice.chance(0.15) ? [{ fromMs: moment(), toMs: moment() }] : [];
  const herdAtMs = moment();
  const herd = dice.chance(0.15) ? drawHerd(tape, dice, herdAtMs) : undefined;
  const isDrained = herd !== undefined && dice.chance(0.4);
  const drainAtMs = isDrained ? herdAtMs + dice.pick([200, 900, 2_500]) : tape.drainAtMs;
  const isRoomy = tape.config.maxActive > 100 && drainAtMs === undefined;
  const hasAftermath = isRoomy && dice.chance(0.25);
  return {
    ...tape,
    faults: [...(herd?.faults ?? []), ...tape.faults, ...limits],
    operator,
    stalls,
    overloads,
    drainAtMs,
    requests: [...tape.requests, ...(herd?.requests ?? []), ...(hasAftermath ? aftermath(tape) : [])],
  };
}

/** Many requests in one moment to targets that send them away without being sick: what budgets are for. */
function drawHerd({ calmFromMs, targets }: Tape, dice: Dice, atMs: number): Pick<Tape, 'faults' | 'requests'> {
  const chain = dice.shuffled(targets).slice(0, 1 + dice.below(2));
  const kind = dice.pick(['conflict', 'conflict', 'rate_limit', 'cut'] as const);
  const toMs = Math.min(calmFromMs, atMs + 20_000);
  const faults = chain.map((target, index): Fault => {
    return { id: 2_000 + index, target, kind, fromMs: atMs, toMs, shape: { type: 'steady' }, hintMs: 300 };
  });
  const requests = Array.from({ length: HERD }, (_, index): SimRequest => {
    return { ...PLAIN, id: 50_000 + index, atMs, chain, timeoutMs: 30_000, streams: true, onBroken: 'RESTART' };
  });
  return { faults, requests };
}

/** Load that goes on when the faults have stopped, from callers whose libraries try again (invariant 32). */
function aftermath({ calmFromMs, targets }: Tape): SimRequest[] {
  return Array.from({ length: AFTERMATH }, (_, index) => {
    const first = index % targets.length;
    return {
      ...PLAIN,
      id: 100_000 + index,
      atMs: calmFromMs + index * 1_000,
      chain: [...targets.slice(first), ...targets.slice(0, first)],
      timeoutMs: 30_000,
      streams: index % 2 === 0,
      clientRetries: 3,
    };
  });
}
