import type { Check } from '../facts.ts';
import { TOLERANCE_MS } from '../facts.ts';
import type { CallFacts } from '../sim-call.ts';

/** Circuits, held against a model that remembers everything (engine rules K1 to K11, X1). */
export const BREAKER_CHECKS: readonly Check[] = [
  {
    number: 1,
    says: 'at most one live probe per circuit',
    watch: ({ runtime }, fail) => ({
      opened: (run, { call, circuit }) => {
        // The lease of a probe ends whatever its caller does: one that reads in fits and starts can outlive it (K6, K7).
        const outlived = circuit.probe !== undefined && mayOutlive(circuit.probe, runtime.now());
        if (circuit.probe !== undefined && !outlived) {
          fail(`run ${run.id} calls ${call.target} while call ${circuit.probe.id} probes it`);
        }
      },
    }),
  },
  {
    number: 2,
    says: 'no attempt starts on a target whose circuit is open',
    watch: ({ runtime }, fail) => ({
      opened: (run, { call, circuit }) => {
        const leftMs = circuit.reopensAtMs - runtime.now();
        if (leftMs > TOLERANCE_MS) fail(`run ${run.id} calls ${call.target} ${leftMs} ms before it reopens`);
      },
    }),
  },
  {
    number: 3,
    says: 'a circuit refuses in the same turn',
    watch: (_, fail) => ({
      settled: (run, { attempts }) => {
        const isRefused = attempts.every(
          ({ kind, failure }) => kind === 'SKIPPED' && failure?.reason === 'CIRCUIT_OPEN',
        );
        const refusedAtMs = run.startedAtMs + (attempts[0]?.startedAfterMs ?? 0);
        if (attempts.length > 0 && isRefused && run.settledAtMs !== refusedAtMs && run.cancelledAtMs === undefined) {
          fail(`run ${run.id} waited for circuits`);
        }
      },
    }),
  },
  {
    number: 5,
    says: 'only faults of the provider count against it: outcomes are judged as the rules judge them',
    watch: ({ health, blamed }, fail) => ({
      ended: (run, { call }, { failure }) => {
        for (const { target, failures } of health()) {
          const expected = blamed.get(target) ?? 0;
          if (failures !== expected) {
            const what = `${failure?.class ?? 'success'} of call ${call.id} in run ${run.id}`;
            fail(`${target} has ${failures} failures behind ${what}, by the rules ${expected}`);
          }
        }
      },
    }),
  },
  {
    number: 6,
    says: 'circuits are as the model says: five failures in a window open them, a probe closes them, older generations count for nothing',
    watch: ({ health, breakers, runtime }, fail) => {
      const compare = (): void => {
        for (const { target, circuit } of health()) {
          const model = breakers.get(target);
          if (model !== undefined && model.state !== circuit) {
            fail(`the circuit of ${target} is ${circuit}, by the rules ${model.state}`);
          }
          if (model?.isSteady(runtime.now(), 0.01) === true)
            fail(`the probe of ${target} has been answering for longer`);
        }
      };
      return { ended: compare, settled: compare };
    },
  },
  {
    number: 7,
    says: 'an open circuit stays open for its time, and what comes first afterwards is a probe',
    watch: ({ health, breakers, runtime }, fail) => ({
      ended: (run, { call, circuit }, { kind }) => {
        if (circuit.isProbe ? kind !== 'PROBE' && kind !== 'RESTART' : kind === 'PROBE') {
          fail(`call ${call.id} of run ${run.id} is told as ${kind}`);
        }
        for (const { target, circuits } of health()) {
          const model = breakers.get(target);
          for (const { state, reopensInMs } of circuits) {
            if (state !== 'OPEN' || model?.state !== 'OPEN') continue;
            const expectedMs = Math.max(0, model.reopensAtMs - runtime.now());
            if (Math.abs((reopensInMs ?? 0) - expectedMs) > TOLERANCE_MS) {
              fail(`${target} reopens in ${reopensInMs} ms, by the rules in ${expectedMs}`);
            }
          }
        }
      },
    }),
  },
  {
    number: 23,
    says: 'nothing goes to a target before its cooldown or suspension ends, of which Retry-After is the lower bound (24)',
    watch: ({ runtime }, fail) => ({
      opened: (run, { call, heldUntilMs }) => {
        const leftMs = heldUntilMs - runtime.now();
        if (leftMs > TOLERANCE_MS) fail(`run ${run.id} calls ${call.target} ${leftMs} ms too early`);
      },
    }),
  },
];

/** First output, progress and the slow reader, the least of each (engine rule K7). */
const LEAST_LEASE_MS = 10_000 + 30_000 + 60_000 + 10_000;

function mayOutlive(probe: CallFacts, nowMs: number): boolean {
  const isPaused = probe.pausedMs > 0 || probe.pausedAtMs !== undefined;
  return isPaused && nowMs - probe.openedAtMs >= LEAST_LEASE_MS;
}
