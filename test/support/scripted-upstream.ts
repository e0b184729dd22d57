import type { AttemptHandle, AttemptSink, Runtime, TimerHandle } from '../../src/core/ports.ts';
import type { AttemptTiming, ChainEntry, Prepared } from '../../src/engine/port/call.ts';
import type { Script, Step } from './upstream-scripts.ts';

/** What was done to an upstream call, and when on the virtual clock. */
export interface UpstreamNote {
  readonly atMs: number;
  readonly target: string;
  /** Counts the calls of all targets from 1. */
  readonly call: number;
  readonly what: 'open' | 'abort' | 'release' | 'pause' | 'resume';
}

/** Upstreams whose every call follows a script, and the record of what the engine did with them. */
export interface ScriptedUpstream {
  /** Appends scripts for the next calls of a target, one for each. */
  script(target: string, ...scripts: readonly Script[]): void;
  /** Sets the script of all calls of a target that have none of their own. */
  always(target: string, script: Script): void;
  /** Makes every call of a target throw when it is opened, until told otherwise. */
  throwOnOpen(target: string, error: Error | undefined): void;
  /** Returns an attempt that can be made, as `Call.prepare` does. */
  prepare(entry: ChainEntry, timing?: Partial<AttemptTiming>): Prepared<string, string>;
  /** All that was done, in order. */
  readonly notes: readonly UpstreamNote[];
  /** The times at which calls of a target were opened. */
  openedAt(target: string): number[];
  /** The targets in the order in which they were called. */
  readonly calls: readonly string[];
  /** How many calls were opened and neither aborted nor released. */
  openCalls(): number;
}

/** Timers of an attempt that asks for no statistics: 12 s to the first output, 30 s between outputs. */
export const TIMING: AttemptTiming = {
  streams: true,
  firstOutputMs: 12_000,
  firstOutputAdapts: true,
  mayThink: false,
  promptTokens: 0,
  promptMs: 0,
  progressMs: 30_000,
  answerMs: 0,
};

/** Makes scripted upstreams on a runtime, whose clock decides when their events happen. */
export function createScriptedUpstream(runtime: Runtime): ScriptedUpstream {
  const queues = new Map<string, Script[]>();
  const standing = new Map<string, Script>();
  const throwing = new Map<string, Error>();
  const notes: UpstreamNote[] = [];
  let calls = 0;

  const open = (target: string, sink: AttemptSink<string, string>): AttemptHandle => {
    const call = ++calls;
    const note = (what: UpstreamNote['what']): void => void notes.push({ atMs: runtime.now(), target, call, what });
    note('open');
    const error = throwing.get(target);
    if (error !== undefined) throw error;
    const script = queues.get(target)?.shift() ?? standing.get(target);
    if (script === undefined) throw new Error(`call ${call} of ${target} has no script`);
    return play(runtime, script, sink, note);
  };
  const opened = (): UpstreamNote[] => notes.filter(({ what }) => what === 'open');

  return {
    script: (target, ...scripts) => {
      queues.set(target, [...(queues.get(target) ?? []), ...scripts]);
    },
    always: (target, script) => {
      standing.set(target, script);
    },
    throwOnOpen: (target, error) => {
      if (error === undefined) throwing.delete(target);
      else throwing.set(target, error);
    },
    prepare: (entry, timing) => ({
      timing: { ...TIMING, ...timing },
      open: (sink) => open(entry.target, sink),
    }),
    notes,
    openedAt: (target) => opened().flatMap((note) => (note.target === target ? [note.atMs] : [])),
    get calls() {
      return opened().map(({ target }) => target);
    },
    openCalls: () => {
      const ended = new Set(notes.filter(({ what }) => what === 'abort' || what === 'release').map(({ call }) => call));
      return opened().filter(({ call }) => !ended.has(call)).length;
    },
  };
}

/** Plays a script step by step. While paused, the step that is due is held back, as a socket that is not read holds it back. */
function play(
  runtime: Runtime,
  script: Script,
  sink: AttemptSink<string, string>,
  note: (what: UpstreamNote['what']) => void,
): AttemptHandle {
  let next = 0;
  let timer: TimerHandle | undefined;
  let isPaused = false;
  let isHeld = false;
  let hasEnded = false;

  const schedule = (): void => {
    const step = script[next];
    if (hasEnded || step === undefined) return;
    timer = runtime.setTimer(step.afterMs, () => {
      timer = undefined;
      if (isPaused) isHeld = true;
      else happen(step);
    });
  };
  const happen = ({ event }: Step): void => {
    next += 1;
    sink(event);
    schedule();
  };
  const finish = (what: 'abort' | 'release'): void => {
    if (!hasEnded) note(what);
    hasEnded = true;
    if (timer !== undefined) runtime.clearTimer(timer);
  };
  schedule();
  return {
    abort: () => {
      finish('abort');
    },
    release: () => {
      finish('release');
    },
    pause: () => {
      isPaused = true;
      note('pause');
    },
    resume: () => {
      isPaused = false;
      note('resume');
      const step = script[next];
      if (!isHeld || hasEnded || step === undefined) return;
      isHeld = false;
      happen(step);
    },
  };
}
