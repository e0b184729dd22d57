import type { Registry } from 'prom-client';

import type { CircuitState, TargetHealth } from '../../engine/port/call.ts';
import { toSeconds } from './amounts.ts';
import { readGauge } from './tally.ts';

const CIRCUIT_VALUES = { CLOSED: 0, HALF_OPEN: 1, OPEN: 2 } as const satisfies Record<CircuitState, number>;

/** A gauge of one figure for each target. */
const TARGET_GAUGES: readonly (readonly [name: string, help: string, value: (health: TargetHealth) => number])[] = [
  [
    'understudy_target_available',
    '1: the target can be used; 0: it is suspended, or none of its circuits is closed.',
    ({ available }) => Number(available),
  ],
  [
    'understudy_target_suspended',
    'Whether the target, or a model of it, is suspended for its key, its quota or a missing model: 1 or 0.',
    ({ suspendedReason }) => Number(suspendedReason !== undefined),
  ],
  [
    'understudy_target_rate_limited_seconds',
    'For how long no call goes to the target because of a rate limit; 0 without one.',
    ({ rateLimitedForMs = 0 }) => toSeconds(rateLimitedForMs),
  ],
  ['understudy_target_in_flight', 'Attempts under way on the target.', ({ inFlight }) => inFlight],
];

/** Makes the gauges that show the state of targets at the moment of the scrape. */
export function registerTargetGauges(registry: Registry, targets: () => readonly TargetHealth[]): void {
  const registers = [registry];
  for (const [name, help, value] of TARGET_GAUGES) {
    readGauge({ name, help, labelNames: ['target', 'provider'], registers }, () =>
      targets()
        .values()
        .map((health) => [{ target: health.target, provider: health.provider }, value(health)] as const),
    );
  }
  const circuits = {
    name: 'understudy_circuit_state',
    help: 'State of a circuit: 0 closed, 1 half-open, 2 open.',
    labelNames: ['target', 'provider', 'model'] as const,
    registers,
  };
  readGauge(circuits, () => targets().values().flatMap(circuitStates));
}

/** Of models that show under one name the worst counts. */
function* circuitStates({ target, provider, circuits }: TargetHealth) {
  const worst = new Map<string, number>();
  for (const { model, circuit = model, state } of circuits)
    worst.set(circuit, Math.max(worst.get(circuit) ?? 0, CIRCUIT_VALUES[state]));
  for (const [model, value] of worst) yield [{ target, provider, model }, value] as const;
}
