import type { Failure } from '../../src/core/failure.ts';
import type { AttemptHandle, AttemptSink, Runtime, TimerHandle, TokenUsage } from '../../src/core/ports.ts';
import type { AttemptTiming, ChainEntry } from '../../src/engine/port/call.ts';
import type { ScriptEvent, Step } from '../support/upstream-scripts.ts';
import type { CallPlan } from './call-script.ts';

/** What the upstream itself knows of a call: the truth that the engine's account is held against. */
export interface CallFacts {
  readonly id: number;
  readonly target: string;
  readonly entry: ChainEntry;
  readonly timing: AttemptTiming;
  readonly plan: CallPlan;
  readonly openedAtMs: number;
  /** What was given to the engine, before the call was closed. */
  readonly texts: string[];
  bytes: number;
  usage: TokenUsage | undefined;
  firstOutputAtMs: number | undefined;
  /** Last output, or last end of a pause behind one. */
  progressAtMs: number;
  sawTerminal: boolean;
  /** Whether the head of an answer came, which is no error's. */
  sawHead: boolean;
  error: Failure | undefined;
  endedCleanly: boolean;
  pausedAtMs: number | undefined;
  pausedMs: number;
  closedAtMs: number | undefined;
  closedBy: 'abort' | 'release' | undefined;
}

/** Begins the account of a call. */
export function callFacts(
  start: Pick<CallFacts, 'id' | 'target' | 'entry' | 'timing' | 'plan' | 'openedAtMs'>,
): CallFacts {
  return {
    ...start,
    texts: [],
    bytes: 0,
    usage: undefined,
    firstOutputAtMs: undefined,
    progressAtMs: 0,
    sawTerminal: false,
    sawHead: false,
    error: undefined,
    endedCleanly: false,
    pausedAtMs: undefined,
    pausedMs: 0,
    closedAtMs: undefined,
    closedBy: undefined,
  };
}

/** Hears what happens to a call. */
export interface CallListener {
  delivered(call: CallFacts, event: ScriptEvent): void;
  handled(call: CallFacts, what: 'abort' | 'release' | 'pause' | 'resume'): void;
}

/** Plays a call's script. While paused, the step that is due is held back, as a socket that is not read holds it back. */
export class SimCall implements AttemptHandle {
  readonly facts: CallFacts;
  readonly #runtime: Runtime;
  readonly #sink: AttemptSink<string, string>;
  readonly #listener: CallListener;
  #next = 0;
  /** When the last step was due: a process that is held up does not hold the upstream up. */
  #lastDueAtMs: number;
  #timer: TimerHandle | undefined;
  #held: Step | undefined;

  constructor(runtime: Runtime, facts: CallFacts, sink: AttemptSink<string, string>, listener: CallListener) {
    this.#runtime = runtime;
    this.facts = facts;
    this.#sink = sink;
    this.#listener = listener;
    this.#lastDueAtMs = facts.openedAtMs;
    this.#schedule();
  }

  abort(): void {
    this.#close('abort');
  }

  release(): void {
    this.#close('release');
  }

  pause(): void {
    this.facts.pausedAtMs ??= this.#runtime.now();
    this.#listener.handled(this.facts, 'pause');
  }

  resume(): void {
    const { facts } = this;
    if (facts.pausedAtMs !== undefined) {
      facts.pausedMs += this.#runtime.now() - facts.pausedAtMs;
      facts.progressAtMs = this.#runtime.now();
    }
    facts.pausedAtMs = undefined;
    this.#listener.handled(facts, 'resume');
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) return;
    this.#lastDueAtMs = this.#runtime.now();
    this.#happen(held);
  }

  #schedule(): void {
    const step = this.facts.plan.script[this.#next];
    if (this.facts.closedBy !== undefined || step === undefined) return;
    this.#next += 1;
    const lateMs = this.#runtime.now() - this.#lastDueAtMs;
    const dueAtMs = this.#lastDueAtMs + step.afterMs;
    this.#timer = this.#runtime.setTimer(lateMs === 0 ? step.afterMs : step.afterMs - lateMs, () => {
      this.#timer = undefined;
      this.#lastDueAtMs = dueAtMs;
      if (this.facts.pausedAtMs === undefined) this.#happen(step);
      else this.#held = step;
    });
  }

  #happen({ event }: Step): void {
    if (this.facts.closedBy !== undefined) return;
    this.#note(event);
    this.#listener.delivered(this.facts, event);
    this.#sink(event);
    this.#schedule();
  }

  #note(event: ScriptEvent): void {
    const { facts } = this;
    switch (event.type) {
      case 'output':
        facts.texts.push(event.value);
        facts.bytes += event.bytes;
        facts.firstOutputAtMs ??= this.#runtime.now();
        facts.progressAtMs = this.#runtime.now();
        break;
      case 'terminal':
        facts.firstOutputAtMs ??= this.#runtime.now();
        facts.progressAtMs = this.#runtime.now();
        facts.sawTerminal = true;
        break;
      case 'usage':
        facts.usage = event.usage;
        break;
      case 'error':
        facts.error = event.failure;
        break;
      case 'end':
        facts.endedCleanly = true;
        break;
      case 'headers':
        facts.sawHead = event.status >= 200 && event.status < 300;
        break;
      case 'startup':
        break;
    }
  }

  #close(how: 'abort' | 'release'): void {
    if (this.facts.closedBy !== undefined) return;
    this.facts.closedBy = how;
    this.facts.closedAtMs = this.#runtime.now();
    if (this.#timer !== undefined) this.#runtime.clearTimer(this.#timer);
    this.#listener.handled(this.facts, how);
  }
}
