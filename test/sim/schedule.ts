import type { OperatorAct, SimRequest, Tape } from './tape.ts';

/** What happens to a simulated gateway. */
export interface Acts {
  ask(asked: SimRequest): void;
  jumpWall(byMs: number): void;
  operate(target: string, does: OperatorAct['does'] | 'AUTOMATIC'): void;
  stall(forMs: number): void;
  drain(): void;
}

/** Sets timers for what a tape holds. */
export function schedule(tape: Tape, at: (ms: number, happen: () => void) => void, acts: Acts): void {
  const { drainAtMs, operator = [], requests, stalls = [], wallJumps } = tape;
  for (const asked of requests) {
    at(asked.atMs, () => {
      acts.ask(asked);
    });
  }
  for (const { atMs, byMs } of wallJumps) {
    at(atMs, () => {
      acts.jumpWall(byMs);
    });
  }
  for (const { target, does, fromMs, toMs } of operator) {
    at(fromMs, () => {
      acts.operate(target, does);
    });
    if (does === 'RESET') continue;
    at(toMs, () => {
      acts.operate(target, 'AUTOMATIC');
    });
  }
  for (const { atMs, forMs } of stalls) {
    at(atMs, () => {
      acts.stall(forMs);
    });
  }
  if (drainAtMs === undefined) return;
  at(drainAtMs, () => {
    acts.drain();
  });
}
