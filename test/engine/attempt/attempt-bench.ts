import type { AttemptEnd, AttemptOutput } from '../../../src/engine/attempt/attempt.ts';
import { Attempt } from '../../../src/engine/attempt/attempt.ts';
import type { AttemptLimits } from '../../../src/engine/attempt/time-limits.ts';
import { entryOf } from '../../support/engine-harness.ts';
import type { ScriptedUpstream } from '../../support/scripted-upstream.ts';
import { createScriptedUpstream } from '../../support/scripted-upstream.ts';
import type { Script } from '../../support/upstream-scripts.ts';
import type { VirtualRuntime } from '../../support/virtual-runtime.ts';
import { createVirtualRuntime } from '../../support/virtual-runtime.ts';

/** Limits of an attempt that has ten minutes. */
export const LIMITS: AttemptLimits = {
  sliceMs: 20_000,
  firstOutputMs: 12_000,
  noHeadMs: 12_000,
  headAloneMs: 12_000,
  blameAfterMs: 12_000,
  progressMs: 30_000,
  clientStallMs: 60_000,
  deadlineAtMs: 600_000,
};

/** Takes the output of an attempt as the test wants it taken. */
export class Taken implements AttemptOutput<string> {
  readonly #runtime: VirtualRuntime;
  readonly committedAt: number[] = [];
  readonly texts: string[] = [];
  wantsMore = true;
  resume: (() => void) | undefined;
  onCommit: (() => void) | undefined;
  onDeliver: (() => void) | undefined;

  constructor(runtime: VirtualRuntime) {
    this.#runtime = runtime;
  }

  commit(): void {
    this.committedAt.push(this.#runtime.now());
    this.onCommit?.();
  }

  deliver(text: string): boolean {
    this.texts.push(text);
    this.onDeliver?.();
    return this.wantsMore;
  }

  whenWritable(resume: () => void): void {
    this.resume = resume;
  }
}

/** An attempt under way. */
export interface Started {
  readonly attempt: Attempt<string, string>;
  readonly end: () => AttemptEnd<string> | undefined;
  /** Lets time pass to the end of the attempt; returns what it was and when. */
  readonly ended: () => Promise<string>;
}

/** Attempts on a scripted upstream in virtual time. */
export class AttemptBench {
  readonly runtime = createVirtualRuntime();
  readonly upstream: ScriptedUpstream = createScriptedUpstream(this.runtime);
  readonly taken = new Taken(this.runtime);

  /** Starts an attempt whose upstream follows a script. */
  start(script: Script, limits: Partial<AttemptLimits> = {}): Started {
    this.upstream.script('a', script);
    const prepared = this.upstream.prepare(entryOf('a'));
    const attempt = new Attempt(this.runtime, prepared, { ...LIMITS, ...limits }, this.taken);
    const box: { end?: AttemptEnd<string> } = {};
    void attempt.start().then((end) => (box.end = end));
    return {
      attempt,
      end: () => box.end,
      ended: async () => {
        await this.runtime.settle();
        while (box.end === undefined) {
          if (!(await this.runtime.step())) throw new Error('nothing is left to wait for');
        }
        return `${box.end.ok ? box.end.final : box.end.failure.class} at ${this.runtime.now()}`;
      },
    };
  }

  /** What was done to the upstream call last, and when. */
  get lastNote(): string {
    const note = this.upstream.notes.at(-1);
    return `${note?.what} at ${note?.atMs}`;
  }
}
