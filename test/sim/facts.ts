import type { Runtime } from '../../src/core/ports.ts';
import type { AttemptRecord, CallResult, ChainEntry, TargetHealth } from '../../src/engine/port/call.ts';
import type { EngineConfig } from '../../src/engine/port/config.ts';
import type { ScriptEvent } from '../support/upstream-scripts.ts';
import type { AffinityModel } from './model/affinity-model.ts';
import type { CircuitSeen, StandsBy } from './model/breaker-model.ts';
import type { Breakers } from './model/breakers.ts';
import type { CooldownModel } from './model/cooldown-model.ts';
import type { SlotsModel } from './model/slots-model.ts';
import type { Arrival } from './model/arrivals.ts';
import type { Blame } from './model/times-model.ts';
import type { CallFacts } from './sim-call.ts';
import type { Told } from './sim-client.ts';
import type { SimRequest, Tape } from './tape.ts';

/** An upstream call as the engine made it, and what the models said in that moment. */
export interface Made {
  readonly call: CallFacts;
  /** Position among the calls of its request, from 0. */
  readonly index: number;
  /** The circuit just before the call. */
  readonly circuit: CircuitSeen;
  /** Until when the models held calls back, at the least. */
  readonly heldUntilMs: number;
  /** Entries of the request that could surely have been asked in that moment, this one not among them. */
  readonly others: readonly ChainEntry[];
  /** The same and those of which it is not sure. */
  readonly mayBeOthers: readonly ChainEntry[];
  /** From when on silence is the provider's fault. */
  /** By what has come of the call. */
  blame: Blame;
  /** By what may come of it, as it was known when it was opened. */
  readonly blames: Readonly<Record<Arrival, Blame>>;
  /** What has come of it before its first output. */
  arrival: Arrival;
  /** Entries that could surely have been asked when the attempt had ended. */
  othersAtEnd: readonly ChainEntry[];
  /** Whether another target that could be asked was not suspect when the attempt had ended. */
  soundAtEnd: StandsBy;
  /** Whether its circuit had moved on when it ended, so that its outcome counts for nothing (engine rule K5). */
  isOutdated: boolean;
  /** Absent while the attempt runs. */
  record?: AttemptRecord;
}

/** One request on its way through the engine; a try of the caller's own library is a run of its own. */
export interface Run {
  readonly id: number;
  readonly asked: SimRequest;
  readonly clientTry: number;
  readonly startedAtMs: number;
  /** When it must have ended. */
  readonly deadlineAtMs: number;
  readonly minAttemptMs: number;
  /** As the engine is given it. */
  readonly chain: readonly ChainEntry[];
  /** The same in the order in which the engine is to try it: first who gave the last answer of its conversation. */
  readonly entries: readonly ChainEntry[];
  /** The target that gave the last answer of its conversation; undefined where none did. */
  readonly answeredBefore: string | undefined;
  readonly made: Made[];
  readonly told: Told[];
  cancelledAtMs: number | undefined;
  result: CallResult<string, string> | undefined;
  settledAtMs: number | undefined;
  /** Whether it belongs to the calm after all faults. */
  readonly isCalm: boolean;
}

/** A time in which the process was held up. */
export interface Stall {
  readonly fromMs: number;
  readonly toMs: number;
}

/** All that is known of a simulation. */
export interface Facts {
  readonly tape: Tape;
  readonly config: EngineConfig;
  readonly runtime: Runtime;
  /** When the engine began to go down. */
  drainedAtMs: number | undefined;
  readonly runs: readonly Run[];
  /** Times in which the process was held up. */
  readonly stalls: readonly Stall[];
  /** Whether the process says that it has too much to do. */
  readonly isOverloaded: () => boolean;
  /** Whether another server than the provider's own answers for a target. */
  readonly isForeign: (target: string) => boolean;
  readonly breakers: Breakers;
  readonly slots: ReadonlyMap<string, SlotsModel>;
  readonly cooldownOf: (target: string) => CooldownModel;
  /** Failures by the models, for each target. */
  readonly blamed: ReadonlyMap<string, number>;
  readonly health: () => readonly TargetHealth[];
  readonly pendingTimers: () => number;
  /** How many listeners the cancel signals of all runs have. */
  readonly listeners: () => number;
}

/** What a check looks at; every hook is called after the models have taken the event in. */
export interface Watch {
  asked?(run: Run): void;
  opened?(run: Run, made: Made): void;
  delivered?(run: Run, made: Made, event: ScriptEvent): void;
  ended?(run: Run, made: Made, record: AttemptRecord): void;
  told?(run: Run, told: Told): void;
  settled?(run: Run, result: CallResult<string, string>): void;
  /** After every event. */
  step?(): void;
  /** Once, when nothing runs any more. */
  quiet?(): void;
}

/** One numbered invariant of the engine's rules. */
export interface Check {
  readonly number: number;
  readonly says: string;
  readonly watch: (facts: Facts, fail: (what: string) => void) => Watch;
}

/** Times are sums of fractions: differences below this many milliseconds are none. */
export const TOLERANCE_MS = 0.001;

/** How much of a time the process was held up, in milliseconds: so much later than planned things may happen. */
export function heldUpMs({ stalls }: Pick<Facts, 'stalls'>, fromMs: number, toMs: number): number {
  return stalls.reduce(
    (sum, stall) => sum + Math.max(0, Math.min(toMs, stall.toMs) - Math.max(fromMs, stall.fromMs)),
    0,
  );
}

/** Begins the account of a request; its deadline is that of the rules (A1). */
export function newRun(
  id: number,
  asked: SimRequest,
  clientTry: number,
  startedAtMs: number,
  isCalm: boolean,
  conversations: AffinityModel,
): Run {
  const chain = asked.chain.map((target) => {
    const model = asked.model ?? `${target}-model`;
    const modelNamedByCaller = asked.model !== undefined;
    return { target, provider: target, model, circuit: modelNamedByCaller ? 'other' : model, modelNamedByCaller };
  });
  const allowedMs = Math.min(asked.timeoutMs ?? 600_000, 3_600_000);
  const mostReserveMs = allowedMs > 1_000_000 ? 10_100 : 1_100;
  const totalMs = allowedMs - Math.min(50 + allowedMs / 100, allowedMs / 20, mostReserveMs);
  return {
    id,
    asked,
    clientTry,
    startedAtMs,
    deadlineAtMs: startedAtMs + totalMs,
    minAttemptMs: Math.min(1_000, totalMs / 4),
    chain,
    entries: conversations.order(asked.affinity, chain, startedAtMs),
    answeredBefore: conversations.last(asked.affinity, startedAtMs)?.entry.target,
    made: [],
    told: [],
    cancelledAtMs: undefined,
    result: undefined,
    settledAtMs: undefined,
    isCalm,
  };
}
