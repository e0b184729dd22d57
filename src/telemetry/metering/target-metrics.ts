import { Gauge, type Registry } from 'prom-client';

import type { CircuitState, TargetHealth } from '../../engine/port/call.ts';
import { toSeconds } from './amounts.ts';

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
  for (const [name, help, value] of TARGET_GAUGES) {
    const gauge = new Gauge({
      name,
      help,
      labelNames: ['target', 'provider'],
      registers: [],
      collect() {
        this.reset();
        for (const health of targets()) {
          this.set({ target: health.target, provider: health.provider }, value(health));
        }
      },
    });
    registry.registerMetric(gauge);
  }
  const circuitState = new Gauge({
    name: 'understudy_circuit_state',
    help: 'State of a circuit: 0 closed, 1 half-open, 2 open.',
    labelNames: ['target', 'provider', 'model'],
    registers: [],
    collect() {
      this.reset();
      for (const { target, provider, circuits } of targets()) {
        const worst = new Map<string, number>();
        for (const { model, circuit = model, state } of circuits)
          worst.set(circuit, Math.max(worst.get(circuit) ?? 0, CIRCUIT_VALUES[state]));
        for (const [model, value] of worst) this.set({ target, provider, model }, value);
      }
    },
  });
  registry.registerMetric(circuitState);
}
