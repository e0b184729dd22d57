import type { Check, Facts, Made } from '../facts.ts';
import { heldUpMs, TOLERANCE_MS } from '../facts.ts';
import { LEAST_LEASE_MS } from '../model/breaker-model.ts';
import type { CallFacts } from '../sim-call.ts';

/** Circuits, held against a model that remembers everything (engine rules K1 to K11, X1). */
export const BREAKER_CHECKS: readonly Check[] = [
  {
    number: 1,
    says: 'a half-open circuit has no more probes, those that have succeeded among them, than it has places',
    watch: (facts, fail) => ({
      opened: (run, { call, circuit: { probes, successes } }) => {
        // The lease of a probe ends whatever its caller does: one that reads in fits and starts can outlive it (K6, K7).
        const live = probes.filter((probe) => !mayOutlive(probe, facts));
        if (live.length + successes >= facts.config.circuitBreaker.probes) {
          const ids = live.map(({ id }) => id).join(', ');
          fail(`run ${run.id} calls ${call.target} behind ${successes} successes while calls ${ids} probe it`);
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
    number: 4,
    says: 'an outcome of an older generation changes nothing',
    watch: (facts, fail) => ({
      ended: (_, { isOutdated, call }) => {
        const failBehind = (what: string): void => fail(`${what}, behind call ${call.id} of an older generation`);
        if (!isOutdated) return;
        sameCircuits(facts, failBehind);
        sameReopenings(facts, failBehind);
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
    number: 5.1,
    says: 'a target that was silent for long enough five times in a minute is not asked on, whatever the deadlines',
    watch: ({ breakers, config, health, runtime }, fail) => {
      const silences = new Map<string, number[]>();
      return {
        ended: (_, { call, blame, isOutdated, circuit }, { failure }) => {
          const nowMs = runtime.now();
          const isSilent = call.firstOutputAtMs === undefined && failure?.class === 'silence';
          if (isOutdated || circuit.isProbe || !isSilent || nowMs - call.openedAtMs < blame.surelyFromMs) {
            // Anything in between may say that the target lives.
            if (failure?.class !== 'client_cancel') silences.delete(call.target);
            return;
          }
          const recent = [...(silences.get(call.target) ?? []), nowMs].slice(-config.circuitBreaker.failures);
          silences.set(call.target, recent);
          const isFull = recent.length === config.circuitBreaker.failures;
          const isRecent = nowMs - (recent[0] ?? 0) < config.circuitBreaker.windowMs;
          const shown = health().find(({ target }) => target === call.target)?.circuit;
          const isAutomatic = breakers.get(call.target)?.isAutomatic === true;
          if (isFull && isRecent && isAutomatic && shown === 'CLOSED')
            fail(`${call.target} is silent, and still asked`);
        },
      };
    },
  },
  {
    number: 5.2,
    says: 'what has come counts before a timer that fires late because the process was held up (X2)',
    watch: (facts, fail) => ({
      ended: (run, made, record) => {
        const { call } = made;
        const isTimer = record.failure?.class === 'silence' || record.failure?.class === 'cut_short';
        const nowMs = call.closedAtMs ?? 0;
        const isEnded = call.firstOutputAtMs !== undefined || call.error !== undefined || call.endedCleanly;
        if (isEnded || !isTimer || !(firstOutputDueAtMs(call) <= nowMs)) return;
        const lateMs = nowMs - limitAtMs(made, record.sliceMs, run.deadlineAtMs);
        if (lateMs > 1_000 + TOLERANCE_MS && heldUpMs(facts, call.openedAtMs, nowMs) > 0) {
          fail(`call ${call.id} of run ${run.id} is told as silent, but its first output lay unread`);
        }
      },
    }),
  },
  {
    number: 6,
    says: 'circuits are as the model says: five failures in a window open them, so many successes of probes close them',
    watch: (facts, fail) => ({
      ended: (_, { isOutdated }) => {
        if (!isOutdated) sameCircuits(facts, fail);
      },
      settled: () => {
        sameCircuits(facts, fail);
      },
    }),
  },
  {
    number: 7,
    says: 'an open circuit stays open for its time, and what comes first afterwards are probes',
    watch: (facts, fail) => ({
      ended: (run, { call, circuit }, { kind }) => {
        if (circuit.isProbe ? kind !== 'PROBE' && kind !== 'RESTART' : kind === 'PROBE') {
          fail(`call ${call.id} of run ${run.id} is told as ${kind}`);
        }
        sameReopenings(facts, fail);
      },
    }),
  },
  {
    number: 23,
    says: 'nothing goes to a target before its cooldown or suspension ends, or while its headers say that nothing is left (L2)',
    watch: ({ runtime }, fail) => ({
      opened: (run, { call, heldUntilMs }) => {
        const leftMs = heldUntilMs - runtime.now();
        if (leftMs > TOLERANCE_MS) fail(`run ${run.id} calls ${call.target} ${leftMs} ms too early`);
      },
    }),
  },
  {
    number: 24,
    says: 'Retry-After is a lower bound: no call follows before, up to an hour',
    watch: ({ runtime, tape }, fail) => {
      const wishes = new Map<string, number>();
      const accountOf = (target: string): string => (tape.config.sharedAccount && target === 'b' ? 'a' : target);
      const resets = tape.operator?.filter(({ does }) => does === 'RESET') ?? [];
      return {
        opened: (run, { call }) => {
          const account = accountOf(call.target);
          // A reset by an operator ends all waits.
          const isReset = resets.some(({ target, fromMs }) => accountOf(target) === account && fromMs <= runtime.now());
          const leftMs = (wishes.get(account) ?? 0) - runtime.now();
          if (leftMs > TOLERANCE_MS && !isReset)
            fail(`run ${run.id} calls ${call.target} ${leftMs} ms before it wants`);
        },
        ended: (_, { call }) => {
          const account = accountOf(call.target);
          const wishedMs = Math.min(call.error?.retryAfterMs ?? 0, 3_600_000);
          wishes.set(account, Math.max(wishes.get(account) ?? 0, (call.closedAtMs ?? 0) + wishedMs));
        },
      };
    },
  },
];

function mayOutlive(probe: CallFacts, facts: Facts): boolean {
  const nowMs = facts.runtime.now();
  const isHeldUp = heldUpMs(facts, probe.openedAtMs, nowMs) > 0;
  return (
    (isHeldUp || probe.pausedMs > 0 || probe.pausedAtMs !== undefined) && nowMs - probe.openedAtMs >= LEAST_LEASE_MS
  );
}

/** When the first output of a call lies in its socket; NaN where none ever does. */
function firstOutputDueAtMs({ openedAtMs, plan: { script } }: CallFacts): number {
  const index = script.findIndex(({ event }) => event.type !== 'headers' && event.type !== 'startup');
  const isOutput = script[index]?.event.type === 'output' || script[index]?.event.type === 'terminal';
  if (!isOutput) return Number.NaN;
  return script.slice(0, index + 1).reduce((sum, { afterMs }) => sum + afterMs, openedAtMs);
}

/** The latest moment at which the limit of an attempt without output may lie. */
function limitAtMs({ call, blame }: Made, sliceMs: number, deadlineAtMs: number): number {
  return Math.min(call.openedAtMs + Math.min(sliceMs, blame.limitMs), deadlineAtMs);
}

function sameCircuits({ health, breakers, runtime, stalls }: Facts, fail: (what: string) => void): void {
  for (const { target, circuit } of health()) {
    const model = breakers.get(target);
    if (model !== undefined && model.state !== circuit) {
      fail(`the circuit of ${target} is ${circuit}, by the rules ${model.state}`);
    }
    const nowMs = runtime.now();
    const isHeldUp = heldUpMs({ stalls }, nowMs - 10_000, nowMs) > 0;
    if (!isHeldUp && model?.steadyProbe(nowMs, 0.01) !== undefined)
      fail(`a probe of ${target} has been answering for longer`);
  }
}

function sameReopenings({ health, breakers, runtime }: Facts, fail: (what: string) => void): void {
  for (const { target, circuits } of health()) {
    const model = breakers.get(target);
    for (const { state, reopensInMs = 0 } of circuits) {
      if (state !== 'OPEN' || model?.state !== 'OPEN' || !model.isAutomatic) continue;
      const expectedMs = Math.max(0, model.reopensAtMs - runtime.now());
      if (Math.abs(reopensInMs - expectedMs) > TOLERANCE_MS) {
        fail(`${target} reopens in ${reopensInMs} ms, by the rules in ${expectedMs}`);
      }
    }
  }
}
