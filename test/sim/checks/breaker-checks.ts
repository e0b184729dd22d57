import type { CircuitState } from '../../../src/engine/port/call.ts';
import type { Check, Facts, Made, Run } from '../facts.ts';
import { heldUpMs, TOLERANCE_MS } from '../facts.ts';
import { LEAST_LEASE_MS } from '../model/breaker-model.ts';
import type { CircuitModel } from '../model/breakers.ts';
import { circuitTold } from '../model/breakers.ts';
import type { CallFacts } from '../sim-call.ts';

/** Circuits, held against a model that remembers everything (engine rules K1 to K11, X1). */
export const BREAKER_CHECKS: readonly Check[] = [
  {
    number: 1,
    says: 'a half-open circuit has no more probes, those that have succeeded among them, than it has places',
    watch: (facts, fail) => ({
      opened: (run, made) => {
        const { call, circuit } = made;
        const { probes, successes, singleUntilMs } = circuit;
        // What goes beside the probes must be let through ahead of its time (K9).
        if (circuit.ahead !== undefined && circuit.state === 'HALF_OPEN') {
          const wrong = wrongAhead(facts, run, made);
          if (wrong !== undefined) fail(`run ${run.id} calls ${call.target} beside its probes ${wrong}`);
          return;
        }
        // The lease of a probe ends whatever its caller does: one that reads in fits and starts can outlive it (K6, K7).
        const live = probes.filter((probe) => !mayOutlive(probe, facts));
        const isEarly = live.length > 0 && facts.runtime.now() < singleUntilMs - TOLERANCE_MS;
        if (isEarly || live.length + successes >= facts.config.circuitBreaker.probes) {
          const ids = live.map(({ id }) => id).join(', ');
          fail(`run ${run.id} calls ${call.target} behind ${successes} successes while calls ${ids} probe it`);
        }
      },
    }),
  },
  {
    number: 2,
    says: 'no attempt starts on a target whose circuit refuses it, but within its budget where no other target is left to ask',
    watch: (facts, fail) => ({
      opened: (run, made) => {
        if (made.circuit.ahead === undefined || made.circuit.state !== 'OPEN') return;
        const wrong = wrongAhead(facts, run, made);
        if (wrong !== undefined) fail(`run ${run.id} calls ${made.call.target} ahead of its time ${wrong}`);
      },
    }),
  },
  {
    number: 3,
    says: 'who is refused by circuits is told in the same turn, or, while the outage is young, waits for a while',
    watch: ({ breakers, config, stalls, tape }, fail) => ({
      settled: (run, { attempts }) => {
        const first = attempts.findIndex(({ kind }) => kind !== 'SKIPPED');
        const skips = first === -1 ? attempts : attempts.slice(0, first);
        const isRefused = skips.every(({ failure }) => failure?.reason === 'CIRCUIT_OPEN');
        if (skips.length === 0 || !isRefused || run.cancelledAtMs !== undefined) return;
        const refusedAtMs = run.startedAtMs + (skips[0]?.startedAfterMs ?? 0);
        const called = attempts[first];
        const untilMs = called === undefined ? run.settledAtMs : run.startedAtMs + called.startedAfterMs;
        const waitedMs = (untilMs ?? refusedAtMs) - refusedAtMs;
        const hasRounds = config.retry.order !== 'EXHAUST_FIRST';
        const isWorthIt =
          hasRounds && run.entries.some((entry) => breakers.of(entry).breaker.outage.wasWorthWaitingAt(refusedAtMs));
        if (waitedMs > 0 && !isWorthIt && tape.drainAtMs === undefined) fail(`run ${run.id} waited for circuits`);
        if (waitedMs > MOST_WAIT_MS + heldUpMs({ stalls }, refusedAtMs, refusedAtMs + waitedMs) + TOLERANCE_MS)
          fail(`run ${run.id} waited ${waitedMs} ms for circuits`);
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
    says: 'a target that was silent for long enough to five requests in a minute is not asked on, whatever the deadlines',
    watch: ({ breakers, config, health, runtime }, fail) => {
      const silences = new Map<CircuitModel, { readonly run: Run; readonly atMs: number }[]>();
      /** Requests of which a silence has counted: no further one of theirs does (K1). */
      const counted = new Map<CircuitModel, Set<Run>>();
      return {
        ended: (run, { call, blame, isOutdated, circuit }, { failure }) => {
          const nowMs = runtime.now();
          const isSilent = call.firstOutputAtMs === undefined && failure?.class === 'silence';
          const own = breakers.of(call.entry);
          if (isOutdated || circuit.isProbe || !isSilent || nowMs - call.openedAtMs < blame.surelyFromMs) {
            // Anything in between may say that the target lives.
            if (failure?.class !== 'client_cancel') silences.delete(own);
            return;
          }
          const before = silences.get(own) ?? [];
          const runs = counted.get(own) ?? new Set();
          if (runs.has(run)) return;
          counted.set(own, runs.add(run));
          const recent = [...before, { run, atMs: nowMs }].slice(-config.circuitBreaker.failures);
          silences.set(own, recent);
          const isFull = recent.length === config.circuitBreaker.failures;
          const isRecent = nowMs - (recent[0]?.atMs ?? 0) < config.circuitBreaker.windowMs;
          const target = health().find((each) => each.target === call.target);
          const told = target && circuitTold(target, own)?.state;
          if (isFull && isRecent && own.breaker.isAutomatic && told === 'CLOSED')
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
        if (lateMs > 100 + TOLERANCE_MS && heldUpMs(facts, call.openedAtMs, nowMs) > 0) {
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
    number: 6.1,
    says: 'each model of a target has a circuit of its own, also where only its callers name it: a sick one closes no other',
    watch: (facts, fail) => ({
      ended: (_, { isOutdated }) => {
        if (!isOutdated) sameCircuitOfEach(facts, fail);
      },
    }),
  },
  {
    number: 7,
    says: 'an open circuit stays open for its time, and what comes first afterwards are probes',
    watch: (facts, fail) => ({
      ended: (run, { call, circuit }, { kind }) => {
        if (
          circuit.isProbe || circuit.ahead !== undefined ? kind !== 'PROBE' && kind !== 'RESTART' : kind === 'PROBE'
        ) {
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

/** Why a call should not have gone ahead of the time of its circuit (engine rule K9). */
function wrongAhead({ config: { retry }, runtime }: Facts, run: Run, made: Made): string | undefined {
  const nowMs = runtime.now();
  const { circuit, index, others } = made;
  if (circuit.ahead === 'forbidden') return `without a budget, ${circuit.reopensAtMs - nowMs} ms before it reopens`;
  const leftMs = run.deadlineAtMs - nowMs;
  const isInTime = index === 0 || leftMs > Math.max(...retry.backoffMs) + 2 * run.minAttemptMs;
  // Without rounds a turn that has passed does not come back.
  if (!isInTime || run.asked.refusedAs !== undefined || retry.order === 'EXHAUST_FIRST') return undefined;
  const left = others.find((entry) => !run.made.some(({ call }) => call.entry === entry));
  return left && `with ${left.target} left`;
}

/** Longest wait for open circuits, in milliseconds (engine rule K9). */
const MOST_WAIT_MS = 30_000;

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

function sameCircuits(facts: Facts, fail: (what: string) => void): void {
  const { health, breakers, runtime } = facts;
  const nowMs = runtime.now();
  const isHeldUp = heldUpMs(facts, nowMs - 10_000, nowMs) > 0;
  for (const target of health()) {
    const circuits = breakers.all(target.target);
    const counted = circuits.filter((circuit) => !breakers.isForgotten(circuit, nowMs));
    const worst = worstOf(counted.map(({ breaker }) => breaker.state));
    if (worst !== target.circuit) fail(`the circuit of ${target.target} is ${target.circuit}, by the rules ${worst}`);
    for (const { breaker } of circuits) {
      if (!isHeldUp && breaker.steadyProbe(nowMs, 0.01) !== undefined)
        fail(`a probe of ${target.target} has been answering for longer`);
    }
  }
}

/** Compares the circuit of each model; what nobody was ever asked for has none. */
function sameCircuitOfEach({ health, breakers, runtime }: Facts, fail: (what: string) => void): void {
  for (const target of health()) {
    for (const circuit of breakers.all(target.target)) {
      const { breaker, model, usedAtMs } = circuit;
      const told = circuitTold(target, circuit)?.state;
      const isTold = told !== undefined || (usedAtMs > 0 && breaker.isAutomatic && breaker.state !== 'CLOSED');
      if (isTold && told !== breaker.state && !breakers.isForgotten(circuit, runtime.now()))
        fail(`the circuit of ${model} of ${target.target} is ${told}, by the rules ${breaker.state}`);
    }
  }
}

function worstOf(states: readonly CircuitState[]): CircuitState {
  if (states.includes('OPEN')) return 'OPEN';
  return states.includes('HALF_OPEN') ? 'HALF_OPEN' : 'CLOSED';
}

function sameReopenings({ health, breakers, runtime }: Facts, fail: (what: string) => void): void {
  for (const target of health()) {
    for (const circuit of breakers.all(target.target)) {
      const { state, reopensInMs = 0 } = circuitTold(target, circuit) ?? {};
      const { breaker } = circuit;
      if (state !== 'OPEN' || breaker.state !== 'OPEN' || !breaker.isAutomatic) continue;
      const expectedMs = Math.max(0, breaker.reopensAtMs - runtime.now());
      if (Math.abs(reopensInMs - expectedMs) > TOLERANCE_MS) {
        fail(`${target.target} reopens in ${reopensInMs} ms, by the rules in ${expectedMs}`);
      }
    }
  }
}
