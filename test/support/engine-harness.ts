import type { AttemptTiming } from '../../src/engine/port/attempt-timing.ts';
import type { Failure } from '../../src/core/failure.ts';
import type { Affinity } from '../../src/engine/port/affinity.ts';
import type {
  AttemptRecord,
  CallFailure,
  CallResult,
  ChainEntry,
  Prepared,
  Recovery,
} from '../../src/engine/port/call.ts';
import type { EngineConfig } from '../../src/engine/port/config.ts';
import { DEFAULT_ENGINE_CONFIG } from '../../src/engine/port/config.ts';
import { Engine } from '../../src/engine/engine.ts';
import type { FreeCheck } from '../../src/engine/target/checks/free-check.ts';
import type { RecordingClient } from './recording-client.ts';
import type { ScriptedUpstream } from './scripted-upstream.ts';
import { createScriptedUpstream } from './scripted-upstream.ts';
import type { VirtualRuntime } from './virtual-runtime.ts';
import { createVirtualRuntime } from './virtual-runtime.ts';

/** Configuration of a test's engine; what is left out is the default, but for jitter, which is NONE. */
export interface HarnessOptions {
  readonly retry?: Partial<EngineConfig['retry']>;
  readonly circuitBreaker?: Partial<EngineConfig['circuitBreaker']>;
  readonly admission?: Partial<EngineConfig['admission']>;
  /** Whether the process has too much to do; default: never. */
  readonly isOverloaded?: () => boolean;
  readonly clientStallMs?: number;
  readonly maxTimeoutMs?: number;
  /** Limit group of a target; default: its own name. */
  readonly limitGroups?: Readonly<Record<string, string>>;
  /** Targets that other servers than their providers' own answer for; default: none. */
  readonly foreign?: readonly string[];
  readonly seed?: number;
  /** Looks after targets that are out of use, with the timers of the runtime; default: nobody does. */
  readonly check?: FreeCheck;
}

/** One request of a test. */
export interface AskOptions {
  readonly timeoutMs?: number;
  readonly client?: RecordingClient;
  readonly recovery?: Recovery;
  /** The conversation that it goes on with; default: none. */
  readonly affinity?: Affinity;
  /** Timers of all attempts, over those of the scripted upstream. */
  readonly timing?: Partial<AttemptTiming>;
  /** Cancels the request; default: only `cancel` does. */
  readonly signal?: AbortSignal;
  /** Hears of each attempt when it has ended. */
  readonly attemptEnded?: (record: AttemptRecord) => void;
  /** In place of the scripted upstream. */
  readonly prepare?: (entry: ChainEntry) => Prepared<string, string> | Failure;
}

/** A request under way. */
export interface Asked {
  readonly result: Promise<CallResult<string, string>>;
  /** The result, once it is there. */
  readonly settled: () => CallResult<string, string> | undefined;
  readonly cancel: () => void;
}

/** An engine over scripted upstreams in virtual time. */
export interface EngineHarness {
  readonly runtime: VirtualRuntime;
  readonly upstream: ScriptedUpstream;
  readonly engine: Engine;
  /** What the observer heard. */
  readonly alerts: { readonly target: string; readonly failure: Failure }[];
  readonly ended: AttemptRecord[];
  /** Starts a request over some targets, or entries. */
  ask(chain: readonly (string | ChainEntry)[], options?: AskOptions): Asked;
  /** Runs a request to its end; time passes as it needs. */
  run(chain: readonly (string | ChainEntry)[], options?: AskOptions): Promise<CallResult<string, string>>;
  /** Returns the health of a target. */
  health(target: string): ReturnType<Engine['health']>[number];
}

/** An entry of a chain: a target with its model. */
export function entryOf(target: string, more: Partial<ChainEntry> = {}): ChainEntry {
  const model = more.model ?? `${target}-model`;
  return { target, provider: target, model, circuit: model, modelNamedByCaller: false, ...more };
}

/** Makes an engine with some targets. */
export function createEngineHarness(targets: readonly string[], options: HarnessOptions = {}): EngineHarness {
  const runtime = createVirtualRuntime({ seed: options.seed ?? 1 });
  const upstream = createScriptedUpstream(runtime);
  const alerts: EngineHarness['alerts'] = [];
  const ended: AttemptRecord[] = [];
  const config: EngineConfig = {
    ...DEFAULT_ENGINE_CONFIG,
    clientStallMs: options.clientStallMs ?? DEFAULT_ENGINE_CONFIG.clientStallMs,
    maxTimeoutMs: options.maxTimeoutMs ?? DEFAULT_ENGINE_CONFIG.maxTimeoutMs,
    retry: { ...DEFAULT_ENGINE_CONFIG.retry, jitter: 'NONE', ...options.retry },
    circuitBreaker: { ...DEFAULT_ENGINE_CONFIG.circuitBreaker, ...options.circuitBreaker },
    admission: { ...DEFAULT_ENGINE_CONFIG.admission, ...options.admission },
  };
  const engine = new Engine({
    config,
    targets: targets.map((name) => ({
      name,
      provider: name,
      limitGroup: options.limitGroups?.[name] ?? name,
      ownHost: options.foreign?.includes(name) !== true,
    })),
    runtime,
    observer: {
      attemptEnded: (record) => void ended.push(record),
      alert: (target, failure) => void alerts.push({ target, failure }),
    },
    isOverloaded: options.isOverloaded,
    checks: options.check && { check: options.check, timers: runtime },
  });
  const ask: EngineHarness['ask'] = (
    chain,
    { timeoutMs, client, recovery, affinity, timing, signal, attemptEnded, prepare } = {},
  ) => {
    const controller = new AbortController();
    let settled: CallResult<string, string> | undefined;
    const result = engine
      .run<string, string>({
        chain: chain.map((entry) => (typeof entry === 'string' ? entryOf(entry) : entry)),
        timeoutMs,
        client,
        recovery,
        affinity,
        upstreamStreams: timing?.streams,
        signal: signal ?? controller.signal,
        attemptEnded,
        prepare: prepare ?? ((entry) => upstream.prepare(entry, { streams: client !== undefined, ...timing })),
      })
      .then((value) => {
        settled = value;
        return value;
      });
    return {
      result,
      settled: () => settled,
      cancel: () => {
        controller.abort();
      },
    };
  };
  return {
    runtime,
    upstream,
    engine,
    alerts,
    ended,
    ask,
    run: async (chain, asked) => {
      const { result, settled } = ask(chain, asked);
      await runtime.settle();
      while (settled() === undefined) {
        if (!(await runtime.step())) throw new Error('the request waits for nothing');
      }
      return result;
    },
    health: (target) => {
      const health = engine.health().find((candidate) => candidate.target === target);
      if (health === undefined) throw new Error(`no health of ${target}`);
      return health;
    },
  };
}

/** Returns what a request failed with; throws where it succeeded. */
export function failureOf(result: CallResult<string, string>): CallFailure {
  if (result.ok) throw new Error('the request succeeded');
  return result.failure;
}

/** Returns a success; throws where the request failed. */
export function successOf(result: CallResult<string, string>): Extract<CallResult<string, string>, { ok: true }> {
  if (!result.ok) throw new Error(`the request failed: ${result.failure.reason}`);
  return result;
}

/** Writes a trail in one line per attempt: kind, target, and the class of its failure. */
export function trailOf(result: CallResult<string, string>): string[] {
  return result.attempts.map(({ kind, entry, failure }) => `${kind} ${entry.target} ${failure?.class ?? 'ok'}`);
}
