import { onTestFinished } from 'vitest';

import type { ChaosRequest } from '../chaos-request.ts';
import type { ChaosStep, ChaosUpstream } from '../chaos-upstream.ts';
import { chaosUpstream, chatTarget, gatewayFor } from '../failover-stage.ts';
import { errorAnswer } from '../openai-bodies.ts';
import type { RunningGateway } from '../gateway-doors.ts';
import type { VirtualSystem } from '../virtual-system.ts';
import { createVirtualSystem } from '../virtual-system.ts';
import type { Told } from '../ways.ts';
import { askIn } from '../ways.ts';
import type { AskedUpstream } from './bench-answers.ts';
import { readAsked, SECOND_WORDS, whole } from './bench-answers.ts';
import type { BenchFault } from './bench-faults.ts';
import type { WireForm } from './wire-forms.ts';

/** How the bench asks: as a stream that may be begun anew, or whole, from a stream or from JSON of the provider. */
export const BENCH_WAYS = ['streamed', 'unary', 'unary, from JSON'] as const;
export type BenchWay = (typeof BENCH_WAYS)[number];

/** A call and when it ended. */
export interface TimedCall extends Told {
  readonly tookMs: number;
}

/** A sick target with a healthy one behind it, in virtual time, over real sockets. */
export interface BenchStage {
  readonly lead: ChaosUpstream;
  readonly second: ChaosUpstream;
  readonly gateway: RunningGateway;
  /** Virtual times at which the sick target was asked. */
  readonly leadAskedAtMs: readonly number[];
  nowMs(): number;
  /** Lets time pass to an instant, while no call is under way. */
  passTo(atMs: number): Promise<void>;
  /** Asks; time passes as the call needs it. */
  ask(
    way: BenchWay,
    options: { readonly deadlineMs: number; readonly targets?: readonly string[] },
  ): Promise<TimedCall>;
}

/** A thousandth of a dollar for a million tokens of input, two of output. */
const PRICES = ['model-1', 'model-2'].map((model) => ({ model, input: '1', output: '2' }));

/** Sets a fault up. Both targets are spoken with in the same form. `list`: how the lead answers who asks for its models. */
export async function benchStage(
  form: WireForm,
  fault: Pick<BenchFault, 'lead' | 'second'>,
  list: (atMs: number) => readonly ChaosStep[] = () => errorAnswer(404, 'not_found'),
): Promise<BenchStage> {
  const system = createVirtualSystem();
  const [lead, second] = [await chaosUpstream(), await chaosUpstream()];
  const leadAskedAtMs: number[] = [];
  const held = { waits: 0 };
  const wait = (ms: number): ChaosStep => {
    held.waits += 1;
    const until = new Promise<void>((resolve) => {
      system.setTimer(ms, () => {
        held.waits -= 1;
        resolve();
      });
    });
    return { do: 'hold', until };
  };
  const about = (request: ChaosRequest, attempt: number): AskedUpstream => ({
    form,
    ...readAsked(request),
    attempt,
    atMs: system.now(),
    wait,
  });
  lead.otherwise((request) => {
    if (request.method === 'GET') return list(system.now());
    leadAskedAtMs.push(system.now());
    return fault.lead(about(request, leadAskedAtMs.length));
  });
  const answerOfSecond = fault.second ?? ((asked) => whole(asked, SECOND_WORDS));
  second.otherwise((request) => answerOfSecond(about(request, second.requestCount)));
  const common = { ...form.target, prices: PRICES };
  const targets = [
    chatTarget('lead', lead.origin, { ...common, base_url: `${lead.origin}${form.path}` }),
    chatTarget('second', second.origin, { ...common, base_url: `${second.origin}${form.path}`, model: 'model-2' }),
  ];
  // All limits and waits as they are by default.
  const gateway = await gatewayFor({ targets, retry: {} }, system);
  onTestFinished(async () => {
    const closed = gateway.close();
    await system.advance(120_000);
    await closed;
  });
  const activity = (): number => system.timerChanges + lead.stepCount + second.stepCount;
  const ask: BenchStage['ask'] = async (way, { deadlineMs, targets: only = [] }) => {
    const beganAtMs = system.now();
    const question = {
      routing: { targets: [...only] },
      ...(way === 'unary, from JSON' ? { options: { maxTokens: 200 } } : {}),
    };
    const asked = askIn(gateway, way === 'streamed' ? 'StreamChat with RESTART' : 'Chat', question, { deadlineMs });
    const told = await untilSettled(asked, system, activity, () => held.waits > 0);
    return { ...told, tookMs: system.now() - beganAtMs };
  };
  const passTo = async (atMs: number): Promise<void> => {
    // What goes on beside the calls, such as a free call to the lead, is read before time passes.
    await untilQuiet(activity, () => held.waits > 0);
    await system.advance(Math.max(0, atMs - system.now()));
  };
  return { lead, second, gateway, leadAskedAtMs, nowMs: () => system.now(), passTo, ask };
}

/**
 * Lets time pass, from timer to timer, whenever the sockets have nothing to do, until a promise is settled. `isHeld`: whether
 * an upstream waits for time too, so that little can be under way on the sockets.
 */
async function untilSettled<Result>(
  promise: Promise<Result>,
  system: VirtualSystem,
  activity: () => number,
  isHeld: () => boolean,
): Promise<Result> {
  const call = { isSettled: false };
  const settle = (): void => {
    call.isSettled = true;
  };
  promise.then(settle, settle);
  for (;;) {
    await untilQuiet(activity, isHeld, () => call.isSettled);
    if (call.isSettled) return promise;
    if (!(await system.step())) throw new Error('the call waits for nothing');
  }
}

/** Resolves when the sockets have nothing to do, or somebody has settled what was waited for. */
async function untilQuiet(activity: () => number, isHeld: () => boolean, isSettled = () => false): Promise<void> {
  let seen = activity();
  let quietSince = performance.now();
  for (let turns = 0; !isSettled(); turns += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (activity() !== seen) [turns, quietSince, seen] = [0, performance.now(), activity()];
    if (turns >= 20 && (isHeld() || performance.now() - quietSince > 3)) return;
  }
}
