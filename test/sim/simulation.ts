import type { AttemptSink } from '../../src/core/ports.ts';
import type { AttemptTiming } from '../../src/engine/port/attempt-timing.ts';
import type { ChainEntry, Prepared } from '../../src/engine/port/call.ts';
import { Engine } from '../../src/engine/engine.ts';
import { givesList, planCall } from './call-script.ts';
import { calmRequests } from './calm.ts';
import { Cancels } from './cancels.ts';
import { EventLog } from './event-log.ts';
import type { Check, Facts, Run, Stall } from './facts.ts';
import { newRun } from './facts.ts';
import { AffinityModel } from './model/affinity-model.ts';
import { Breakers } from './model/breakers.ts';
import { CooldownModel } from './model/cooldown-model.ts';
import { SlotsModel } from './model/slots-model.ts';
import type { Violation } from './recorder.ts';
import { Recorder } from './recorder.ts';
import { schedule } from './schedule.ts';
import { callFacts, SimCall } from './sim-call.ts';
import { silentTiming } from './silences.ts';
import { engineConfig, timingOf } from './sim-config.ts';
import { SimClient } from './sim-client.ts';
import type { SimRuntime } from './sim-runtime.ts';
import { createSimRuntime } from './sim-runtime.ts';
import type { OperatorAct, SimRequest, Tape } from './tape.ts';

/** What came of a simulation. */
export interface Outcome {
  readonly violations: readonly Violation[];
  /** The same for the same seed, always (invariant 37). */
  readonly hash: string;
  /** All that happened; empty unless asked for. */
  readonly lines: readonly string[];
  readonly events: number;
  readonly runs: readonly Run[];
  readonly simulatedMs: number;
}

/** How long a free call takes, in milliseconds. */
const FREE_CALL_MS = 20;

/** No simulation needs more events: one that does is in a loop. */
const MAX_EVENTS = 500_000;

/** Lives one tape through with the real engine. Stops at the first broken invariant. */
export function simulate(tape: Tape, checks: readonly Check[], keepsLines = false): Promise<Outcome> {
  return new Simulation(tape, checks, keepsLines).live();
}

class Simulation {
  readonly #tape: Tape;
  readonly #runtime: SimRuntime;
  readonly #log: EventLog;
  readonly #engine: Engine;
  readonly #recorder: Recorder;
  readonly #facts: Facts;
  readonly #runs: Run[] = [];
  readonly #stalls: Stall[] = [];
  readonly #runOf = new Map<ChainEntry, Run>();
  readonly #cancels: Cancels;
  /** Targets whose oddities are known. */
  readonly #known = new Set<string>();
  readonly #conversations = new AffinityModel();
  #calls = 0;
  #running = 0;

  constructor(tape: Tape, checks: readonly Check[], keepsLines: boolean) {
    this.#tape = tape;
    this.#runtime = createSimRuntime(tape.seed);
    this.#log = new EventLog(() => this.#runtime.now(), keepsLines);
    this.#cancels = new Cancels(this.#runtime, this.#log);
    const config = engineConfig(tape);
    const groupOf = (target: string): string => (tape.config.sharedAccount && target === 'b' ? 'a' : target);
    const breakers = new Breakers(config.circuitBreaker, tape.targets);
    const slots = new Map(tape.targets.map((name) => [name, new SlotsModel()]));
    const cooldowns = new Map(tape.targets.map((name) => [name, new CooldownModel()]));
    const cooldownOf = (target: string): CooldownModel => {
      const model = cooldowns.get(groupOf(target));
      if (model === undefined) throw new Error(`no model of ${target}`);
      return model;
    };
    const isForeign = (target: string): boolean => tape.config.foreign?.includes(target) === true;
    const isOverloaded = (): boolean => {
      const nowMs = this.#runtime.now();
      return (tape.overloads ?? []).some(({ fromMs, toMs }) => fromMs <= nowMs && nowMs < toMs);
    };
    this.#engine = new Engine({
      config,
      targets: tape.targets.map((name) => {
        return { name, provider: name, limitGroup: groupOf(name), ownHost: !isForeign(name) };
      }),
      runtime: this.#runtime,
      observer: {
        attemptEnded: (record) => {
          const run = this.#runOf.get(record.entry);
          if (run !== undefined) {
            this.#recorder.ended(run, record);
            if (record.failure !== undefined) this.#cancels.at(run, 'failed_attempt');
          }
        },
        targetChanged: (target) => {
          this.#recorder.changed(target);
        },
      },
      isOverloaded,
      checks: {
        timers: this.#runtime,
        check: {
          covers: (_target, reason) => reason === 'CIRCUIT_OPEN',
          run: (target, signal) => this.#askForFree(target, signal),
        },
      },
    });
    const health = (): ReturnType<Engine['health']> => this.#engine.health();
    this.#recorder = new Recorder(this.#runtime, this.#log, { breakers, slots, cooldownOf }, health);
    this.#facts = {
      tape,
      config,
      drainedAtMs: undefined,
      runtime: this.#runtime,
      runs: this.#runs,
      stalls: this.#stalls,
      isOverloaded,
      isForeign,
      breakers,
      slots,
      cooldownOf,
      blamed: this.#recorder.blamed,
      health,
      pendingTimers: () => this.#runtime.pendingTimers(),
      listeners: () => this.#cancels.listeners(),
    };
    this.#recorder.watch(checks, this.#facts);
  }

  async live(): Promise<Outcome> {
    const { drainAtMs } = this.#tape;
    this.#plan();
    await this.#runOut();
    if (this.#recorder.violations.length === 0 && drainAtMs === undefined) {
      const untilMs = calmRequests(this.#facts, (asked, atMs) => {
        this.#runtime.world.setTimer(atMs - this.#runtime.now(), () => void this.#ask(asked, 0, true));
      });
      this.#log.note(`calm from ${untilMs.toFixed(3)}`);
      await this.#runOut();
    }
    if (this.#recorder.violations.length === 0) this.#recorder.quiet();
    return {
      violations: this.#recorder.violations,
      hash: this.#log.hash,
      lines: this.#log.lines,
      events: this.#runtime.events,
      runs: this.#runs,
      simulatedMs: this.#runtime.now(),
    };
  }

  /** Sets what the tape holds. */
  #plan(): void {
    const runtime = this.#runtime;
    schedule(this.#tape, (ms, happen) => void runtime.world.setTimer(ms, happen), {
      ask: (asked) => void this.#ask(asked, 0, false),
      jumpWall: (byMs) => {
        runtime.jumpWall(byMs);
      },
      operate: (target, does) => {
        this.#operate(target, does);
      },
      stall: (forMs) => {
        const fromMs = runtime.now();
        this.#log.note(`held up for ${forMs}`);
        runtime.stall(forMs);
        this.#stalls.push({ fromMs, toMs: runtime.now() });
      },
      drain: () => {
        this.#log.note('drain');
        this.#facts.drainedAtMs = runtime.now();
        this.#engine.drain();
      },
    });
  }

  #operate(target: string, does: OperatorAct['does'] | 'AUTOMATIC'): void {
    this.#recorder.forced(target, does);
    if (does === 'RESET') this.#engine.reset(target);
    else this.#engine.force(target, does);
  }

  /** Lets everything happen that is still to happen. */
  async #runOut(): Promise<void> {
    const { violations } = this.#recorder;
    await this.#runtime.settle();
    while (violations.length === 0 && this.#runtime.events < MAX_EVENTS && (await this.#runtime.step())) {
      this.#recorder.step();
    }
    if (violations.length === 0 && this.#running > 0) {
      const what = `${this.#running} requests wait for nothing after ${this.#runtime.events} events`;
      const says = 'every request ends';
      this.#log.note(what);
      this.#recorder.violations.push({ number: 26, says, what, atMs: this.#runtime.now() });
    }
  }

  async #ask(asked: SimRequest, clientTry: number, isCalm: boolean): Promise<void> {
    const run = this.#begin(asked, clientTry, isCalm);
    const client = new SimClient(this.#runtime.world, asked.reading, (told) => {
      this.#recorder.told(run, told);
      if (told.what === 'started' || told.what === 'output') this.#cancels.at(run, told.what);
    });
    const signal = this.#cancels.begin(run);
    this.#running += 1;
    const result = await this.#engine.run<string, string>({
      chain: run.chain,
      shareKey: asked.key,
      affinity: asked.affinity,
      timeoutMs: asked.timeoutMs,
      signal,
      client: asked.streams ? client : undefined,
      recovery: asked.onBroken,
      upstreamStreams: !asked.json,
      prepare: (entry) => this.#prepare(run, entry),
    });
    this.#running -= 1;
    client.close();
    this.#cancels.end(run);
    if (result.ok) this.#conversations.answered(asked.affinity, result.serving, this.#runtime.now());
    this.#recorder.settled(run, result);
    if (result.ok || clientTry >= asked.clientRetries || result.failure.status === 'INVALID_ARGUMENT') return;
    if (run.cancelledAtMs !== undefined) return;
    this.#runtime.world.setTimer(100 * 2 ** clientTry, () => void this.#ask(asked, clientTry + 1, isCalm));
  }

  #begin(asked: SimRequest, clientTry: number, isCalm: boolean): Run {
    const run = newRun(this.#runs.length, asked, clientTry, this.#runtime.now(), isCalm, this.#conversations);
    this.#runs.push(run);
    for (const entry of run.entries) this.#runOf.set(entry, run);
    this.#recorder.asked(run);
    return run;
  }

  /** A free call: answered after a moment, or ended by its limit where the process is held up. */
  #askForFree(target: string, signal: AbortSignal): Promise<'usable' | 'down'> {
    return new Promise((resolve) => {
      let isOver = false;
      const answer = (answers: boolean): void => {
        if (isOver) return;
        isOver = true;
        if (this.#facts.drainedAtMs === undefined) this.#recorder.checked(target, answers);
        resolve(answers ? 'usable' : 'down');
      };
      signal.addEventListener('abort', () => answer(false), { once: true });
      this.#runtime.world.setTimer(FREE_CALL_MS, () => answer(givesList(this.#tape, target, this.#runtime.now())));
    });
  }

  #prepare(run: Run, entry: ChainEntry): Prepared<string, string> {
    const timing = silentTiming(timingOf(run.asked), this.#tape.config.silences?.[entry.target]);
    const isWrittenFor = this.#known.has(entry.target);
    return {
      timing,
      open: (sink) => this.#open(run, entry, timing, isWrittenFor, sink),
      learns: ({ quirk }) => {
        if (quirk === undefined || isWrittenFor) return false;
        this.#known.add(entry.target);
        return true;
      },
    };
  }

  #open(
    run: Run,
    entry: ChainEntry,
    timing: AttemptTiming,
    isWrittenFor: boolean,
    sink: AttemptSink<string, string>,
  ): SimCall {
    const nowMs = this.#runtime.now();
    const { target } = entry;
    const id = this.#calls++;
    const nth = run.made.filter(({ call }) => call.entry === entry).length;
    const { asked, clientTry } = run;
    const { streams } = timing;
    const tape = this.#tape;
    const plan = planCall({ tape, asked, target, nth, clientTry, nowMs, callId: id, streams, isWrittenFor });
    const call = callFacts({ id, target, entry, timing, plan, openedAtMs: nowMs });
    const made = this.#recorder.opened(run, call);
    this.#cancels.at(run, 'open');
    if (plan.throws) {
      call.closedAtMs = nowMs;
      call.closedBy = 'abort';
      throw new Error('the opening failed');
    }
    return new SimCall(this.#runtime.world, call, sink, {
      delivered: (_, event) => {
        this.#recorder.delivered(run, made, event);
        if (event.type === 'terminal') this.#cancels.at(run, 'terminal');
      },
      handled: (closed, what) => {
        this.#recorder.handled(closed, what);
      },
    });
  }
}
