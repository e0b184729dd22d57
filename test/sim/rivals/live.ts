import type { AttemptSink } from '../../../src/core/ports.ts';
import type { ChainEntry } from '../../../src/engine/port/call.ts';
import { fails } from '../../support/upstream-scripts.ts';
import type { CallPlan } from '../call-script.ts';
import { planCall } from '../call-script.ts';
import type { CallFacts } from '../sim-call.ts';
import { callFacts, SimCall } from '../sim-call.ts';
import { SimClient } from '../sim-client.ts';
import { timingOf } from '../sim-config.ts';
import type { SimRuntime } from '../sim-runtime.ts';
import { createSimRuntime } from '../sim-runtime.ts';
import type { SimRequest } from '../tape.ts';
import type { HeldOff } from './figures/held-off.ts';
import { HoldWatch } from './figures/held-off.ts';
import type { Ending, Policy, Rival } from './rival.ts';
import type { Scenario } from './scenario.ts';
import { withVirtualGlobals } from './virtual-globals.ts';

/** What became of one request, its caller's own tries taken together. Times are virtual milliseconds. */
export interface Story {
  readonly asked: SimRequest;
  readonly calls: CallFacts[];
  /** When each try began. */
  readonly triesAtMs: number[];
  /** Pieces that the caller got in its last try, since the last word that an answer begins anew. */
  pieces: string[];
  /** Whether it got more than one answer in one. */
  wasSpliced: boolean;
  firstOutputAtMs: number | undefined;
  cancelledAtMs: number | undefined;
  settledAtMs: number | undefined;
  ending: Ending | undefined;
}

/** What became of all. */
export interface History {
  readonly stories: readonly Story[];
  readonly events: number;
  readonly mostAtATime: number;
  readonly simulatedMs: number;
  /** Undefined where the policy holds nobody off, ever. */
  readonly heldOff: readonly HeldOff[] | undefined;
}

/** Lives a scenario through with one policy. The same scenario, seed and policy have the same history, always. */
export async function live(scenario: Scenario, rival: Rival): Promise<History> {
  const runtime = createSimRuntime(scenario.tape.seed);
  const stage = new Stage(scenario, rival.make(scenario.tape.targets, runtime, scenario.leastLimitMs), runtime);
  return rival.usesGlobals === true ? withVirtualGlobals(runtime, () => stage.live()) : stage.live();
}

class Stage {
  readonly #scenario: Scenario;
  readonly #policy: Policy;
  readonly #runtime: SimRuntime;
  readonly #stories: Story[] = [];
  readonly #open = new Map<string, Set<CallFacts>>();
  readonly #windows = new Map<string, { index: number; calls: number }>();
  #calls = 0;
  #running = 0;
  #most = 0;

  constructor(scenario: Scenario, policy: Policy, runtime: SimRuntime) {
    this.#scenario = scenario;
    this.#policy = policy;
    this.#runtime = runtime;
  }

  async live(): Promise<History> {
    for (const asked of this.#scenario.tape.requests) {
      this.#runtime.setTimer(asked.atMs, () => {
        const story: Story = {
          asked,
          calls: [],
          triesAtMs: [],
          pieces: [],
          wasSpliced: false,
          firstOutputAtMs: undefined,
          cancelledAtMs: undefined,
          settledAtMs: undefined,
          ending: undefined,
        };
        this.#stories.push(story);
        void this.#try(story, 0);
      });
    }
    await this.#runtime.settle();
    const watch = new HoldWatch(this.#policy, this.#scenario.tape.targets);
    while (await this.#runtime.step()) watch.look(this.#runtime.now());
    const { events } = this.#runtime;
    const simulatedMs = this.#runtime.now();
    const heldOff = watch.past(simulatedMs);
    return { stories: this.#stories, events, mostAtATime: this.#most, simulatedMs, heldOff };
  }

  /** One try of the caller: to its end or its deadline, whichever comes first. */
  async #try(story: Story, clientTry: number): Promise<void> {
    const { asked } = story;
    const controller = new AbortController();
    story.pieces = [];
    story.triesAtMs.push(this.#runtime.now());
    this.#running += 1;
    this.#most = Math.max(this.#most, this.#running);
    const ended = Promise.withResolvers<Ending>();
    const leave = (): void => {
      ended.resolve({ ok: false });
      controller.abort();
    };
    const deadline = this.#runtime.setTimer(asked.timeoutMs ?? 600_000, leave);
    const cancel =
      asked.cancel.type === 'after'
        ? this.#runtime.setTimer(asked.cancel.ms, () => {
            story.cancelledAtMs = this.#runtime.now();
            leave();
          })
        : undefined;
    const client = this.#clientOf(story, controller.signal);
    const { signal } = controller;
    const connect = (target: string, streams: boolean, sink: AttemptSink<string, string>): SimCall =>
      this.#connect(story, clientTry, target, streams, sink);
    void this.#policy
      .serve({ asked, signal, client: asked.streams ? client : undefined, connect })
      .then(ended.resolve, ended.reject);
    const ending = await ended.promise;
    this.#runtime.clearTimer(deadline);
    if (cancel !== undefined) this.#runtime.clearTimer(cancel);
    client.close();
    this.#running -= 1;
    if (!ending.ok && clientTry < asked.clientRetries && story.cancelledAtMs === undefined) {
      this.#runtime.setTimer(100 * 2 ** clientTry, () => void this.#try(story, clientTry + 1));
      return;
    }
    if (ending.ok && !asked.streams) story.pieces = piecesOf(ending.text ?? '');
    story.settledAtMs = this.#runtime.now();
    story.ending = ending;
  }

  #clientOf(story: Story, signal: AbortSignal): SimClient {
    return new SimClient(this.#runtime, story.asked.reading, (told) => {
      if (signal.aborted) return;
      if (told.what === 'restarted') story.pieces = [];
      if (told.what !== 'output') return;
      story.firstOutputAtMs ??= this.#runtime.now();
      story.pieces.push(...piecesOf(told.text));
      story.wasSpliced ||= new Set(story.pieces.map((piece) => piece.split('.')[0])).size > 1;
    });
  }

  #connect(
    story: Story,
    clientTry: number,
    target: string,
    streams: boolean,
    sink: AttemptSink<string, string>,
  ): SimCall {
    const { asked } = story;
    const nowMs = this.#runtime.now();
    const id = this.#calls++;
    const nth = story.calls.filter((call) => call.target === target).length;
    const { tape } = this.#scenario;
    const plan =
      this.#refusal(target, nowMs) ??
      withStatus(planCall({ tape, asked, target, nth, clientTry, nowMs, callId: id, streams, isWrittenFor: false }));
    const timing = { ...timingOf({ ...asked, json: !streams }), streams };
    const entry: ChainEntry = { target, provider: target, model: 'model', circuit: 'model', modelNamedByCaller: false };
    const call = callFacts({ id, target, entry, timing, plan, openedAtMs: nowMs });
    story.calls.push(call);
    const open = this.#open.get(target) ?? new Set();
    this.#open.set(target, open.add(call));
    const over = (): void => void open.delete(call);
    return new SimCall(this.#runtime, call, sink, {
      delivered: (_, { type }) => {
        if (type === 'terminal' || type === 'error' || type === 'end') over();
      },
      handled: (_, what) => {
        if (what === 'abort' || what === 'release') over();
      },
    });
  }

  /** What a target says to a call that it cannot bear. */
  #refusal(target: string, nowMs: number): CallPlan | undefined {
    const { inFlight, perWindow } = this.#scenario.capacity;
    if (inFlight !== undefined && (this.#open.get(target)?.size ?? 0) >= inFlight) {
      return { script: fails('overload', { httpStatus: 503 }, 60), fault: 'overload', throws: false };
    }
    if (perWindow === undefined) return undefined;
    const index = Math.floor(nowMs / perWindow.ms);
    const before = this.#windows.get(target);
    const calls = before?.index === index ? before.calls : 0;
    this.#windows.set(target, { index, calls: calls + 1 });
    if (calls < perWindow.calls) return undefined;
    // As HTTP says it: whole seconds.
    const retryAfterMs = Math.ceil(((index + 1) * perWindow.ms - nowMs) / 1_000) * 1_000;
    return { script: fails('rate_limit', { retryAfterMs, httpStatus: 429 }, 60), fault: 'rate_limit', throws: false };
  }
}

/** An overload that names no status is a 503. */
function withStatus(plan: CallPlan): CallPlan {
  const script = plan.script.map((step) => {
    const { event } = step;
    if (event.type !== 'error' || event.failure.class !== 'overload') return step;
    return { ...step, event: { ...event, failure: { ...event.failure, httpStatus: event.failure.httpStatus ?? 503 } } };
  });
  return { ...plan, script };
}

/** Every piece of an answer is `call.number`, and a space. */
function piecesOf(text: string): string[] {
  return text.split(' ').filter((piece) => piece !== '');
}
