import { setTimeout as passed } from 'node:timers/promises';

import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { Recovery } from '../../gen/understudy/v1/routing_pb.ts';
import type { ConfigInput } from '../../src/config/file/schema.ts';
import type { ChaosUpstream } from '../support/chaos-upstream.ts';
import { startChaosUpstream } from '../support/chaos-upstream.ts';
import { say } from '../support/chat-samples.ts';
import { errorAnswer } from '../support/openai-bodies.ts';
import type { BenchAnswer } from '../support/failover-bench/bench-answers.ts';
import { LEAD_WORDS, readAsked, SECOND_WORDS, textOfWords, whole } from '../support/failover-bench/bench-answers.ts';
import type { BenchFault } from '../support/failover-bench/bench-faults.ts';
import { BENCH_FAULTS, flaps } from '../support/failover-bench/bench-faults.ts';
import type { WireForm } from '../support/failover-bench/wire-forms.ts';
import { FORMS } from '../support/failover-bench/wire-forms.ts';
import type { RpcClient } from '../support/rpc-client.ts';
import { openRpcClient } from '../support/rpc-client.ts';
import { RpcError } from '../support/rpc-error.ts';
import { counted, textOf } from '../support/stream-text.ts';
import { startProbedGateway } from './process.ts';

const WAYS = ['streamed', 'unary', 'unary, from JSON'] as const;
type Way = (typeof WAYS)[number];

const OUTAGES_MS = [20_000, 41_000, 55_000, 60_000];
const CALLS = 20;
const EVERY_MS = 4_000;
/** What callers of the outages allow, in milliseconds. */
const OUTAGE_DEADLINE_MS = 60_000;
/** Within which a target that is well again is to be asked, in milliseconds. */
const MOST_BACK_MS = 30_000;
/** What a machine that others use too may add, in milliseconds. */
const SLACK_MS = 1_000;

/** A sick target, with another behind it or alone. */
interface Pair {
  readonly lead: ChaosUpstream;
  readonly config: NonNullable<ConfigInput['targets']>;
  readonly names: readonly string[];
  /** Real times, since the beginning of the pair, at which the sick target was asked. */
  readonly askedAtMs: number[];
  /** From now on the sick target's time runs. */
  begin(): void;
  sinceMs(): number;
  close(): Promise<void>;
}

interface Outcome {
  readonly text: string;
  readonly target: string;
  readonly reason: string;
  readonly tookMs: number;
}

/** One line of the result. */
interface Line {
  readonly passed: boolean;
  readonly text: string;
}

/**
 * Puts the faults of Failover Bench to a gateway in a process of its own, over real sockets and in real time, each in every
 * form and way, all at the same time: 160 s. Ends with 0 where everything passed.
 */
async function main(): Promise<number> {
  const upstreams: Pair[] = [];
  const pair = async (name: string, form: WireForm, fault: Pick<BenchFault, 'lead' | 'second'>, alone = false) => {
    const made = await makePair(name, form, fault, alone);
    upstreams.push(made);
    return made;
  };
  const faults: (() => Promise<Line>)[] = [];
  const outages: (() => Promise<Line>)[] = [];
  let client: RpcClient | undefined;
  const connected = (): RpcClient => {
    if (client === undefined) throw new Error('no gateway yet');
    return client;
  };
  for (const form of FORMS) {
    for (const way of WAYS) {
      for (const fault of BENCH_FAULTS) {
        const made = await pair(`${fault.id}-${form.name}-${way}`, form, fault);
        faults.push(() => judgeFault(connected(), made, form, way, fault));
      }
    }
    for (const downMs of OUTAGES_MS) {
      for (const alone of [false, true]) {
        const made = await pair(`S15-${downMs}-${form.name}-${alone}`, form, { lead: flaps(downMs) }, alone);
        outages.push(() => judgeOutage(connected(), made, form, downMs));
      }
    }
  }
  const gateway = await startProbedGateway({ targets: upstreams.flatMap(({ config }) => config) });
  client = openRpcClient(gateway.address);
  const running: Promise<Line>[] = [];
  // One after the other, so that no beginning disturbs another.
  for (const run of [...outages, ...faults]) {
    running.push(run());
    await passed(40);
  }
  const lines = await Promise.all(running);
  for (const line of lines) console.log(`${line.passed ? 'pass' : 'FAIL'}  ${line.text}`);
  const failed = lines.filter((line) => !line.passed).length;
  console.log(`${lines.length - failed} of ${lines.length} passed.`);
  client.close();
  await gateway.stop();
  await Promise.all(upstreams.map(({ close }) => close()));
  return failed === 0 ? 0 : 1;
}

async function makePair(
  name: string,
  form: WireForm,
  fault: Pick<BenchFault, 'lead' | 'second'>,
  alone: boolean,
): Promise<Pair> {
  const [lead, second] = [await startChaosUpstream(), await startChaosUpstream()];
  const askedAtMs: number[] = [];
  let beganAt = performance.now();
  const sinceMs = (): number => performance.now() - beganAt;
  const wait = (ms: number) => ({ do: 'pause', ms }) as const;
  const answerOfSecond: BenchAnswer = fault.second ?? ((asked) => whole(asked, SECOND_WORDS));
  lead.otherwise((request) => {
    if (request.method === 'GET') return errorAnswer(404, 'not_found');
    askedAtMs.push(sinceMs());
    return fault.lead({ form, ...readAsked(request), attempt: askedAtMs.length, atMs: sinceMs(), wait });
  });
  second.otherwise((request) => answerOfSecond({ form, ...readAsked(request), attempt: 0, atMs: 0, wait }));
  const targetOf = (role: string, { origin }: ChaosUpstream) => ({
    name: `${name}-${role}`.replaceAll(/[ ,]+/g, '-'),
    provider: 'openai' as const,
    ...form.target,
    base_url: `${origin}${form.path}`,
    api_key: 'sk-soak',
    model: `model-${role}`,
  });
  const config = [targetOf('lead', lead), ...(alone ? [] : [targetOf('second', second)])];
  return {
    lead,
    config,
    names: config.map((target) => target.name),
    askedAtMs,
    begin: () => {
      beganAt = performance.now();
    },
    sinceMs,
    close: async () => {
      await Promise.all([lead.close(), second.close()]);
    },
  };
}

async function ask(client: RpcClient, { names }: Pair, way: Way, deadlineMs: number): Promise<Outcome> {
  const beganAt = performance.now();
  const request = { messages: [say(Role.USER, 'hello')], routing: { targets: [...names] } };
  const call = async (): Promise<Omit<Outcome, 'tookMs'>> => {
    if (way === 'streamed') {
      const restarting = { ...request, recovery: Recovery.RESTART };
      const events = await client.stream(LlmService.method.streamChat, restarting, { deadlineMs }).done;
      const last = events.at(-1)?.event;
      return { text: textOf(counted(events)), target: last?.case === 'finished' ? last.value.target : '', reason: '' };
    }
    const limited = way === 'unary' ? request : { ...request, options: { maxTokens: 200 } };
    const { text, target } = await client.call(LlmService.method.chat, limited, { deadlineMs });
    return { text, target, reason: '' };
  };
  const outcome = await call().catch((error: unknown) => {
    if (!(error instanceof RpcError)) throw error;
    return { text: '', target: '', reason: error.reason === '' ? error.code : error.reason };
  });
  return { ...outcome, tookMs: performance.now() - beganAt };
}

async function judgeFault(client: RpcClient, made: Pair, form: WireForm, way: Way, fault: BenchFault): Promise<Line> {
  made.begin();
  const { text, target, reason, tookMs } = await ask(client, made, way, fault.deadlineMs);
  const isUnseen = way === 'unary, from JSON';
  const { answeredBy, withinMs, withinMsUnseen = withinMs, asked } = fault;
  const isRight = answeredBy === 'nobody' ? reason === 'PROMPT_BLOCKED' : isWhole(text, target);
  const isInTime = tookMs <= (isUnseen ? withinMsUnseen : withinMs) + SLACK_MS;
  const calls = made.lead.requestCount;
  const isModest = calls >= asked[0] && calls <= asked[1];
  const end = reason === '' ? `by the ${target.split('-').at(-1)}` : reason;
  return {
    passed: isRight && isInTime && isModest,
    text: `${fault.id} ${form.name}, ${way}: ${end}, ${seconds(tookMs)}, ${calls} calls of the lead`,
  };
}

/** S15. With a second target every call is to be answered; alone, every one that begins when the target is well again. */
async function judgeOutage(client: RpcClient, made: Pair, form: WireForm, downMs: number): Promise<Line> {
  made.begin();
  const calls: Promise<Outcome & { readonly atMs: number }>[] = [];
  for (let index = 0; index < CALLS; index += 1) {
    await passed(Math.max(0, index * EVERY_MS - made.sinceMs()));
    const atMs = made.sinceMs();
    calls.push(ask(client, made, 'streamed', OUTAGE_DEADLINE_MS).then((outcome) => ({ ...outcome, atMs })));
  }
  const ended = await Promise.all(calls);
  const isAlone = made.names.length === 1;
  const good = (call: Outcome): boolean => isWhole(call.text, call.target);
  const during = ended.filter(({ atMs }) => atMs < downMs);
  const after = ended.filter(({ atMs }) => atMs >= downMs);
  const backAfterMs = (made.askedAtMs.find((atMs) => atMs >= downMs) ?? Number.POSITIVE_INFINITY) - downMs;
  const asked = made.askedAtMs.filter((atMs) => atMs < downMs).length;
  const longestMs = Math.max(...ended.map(({ tookMs }) => tookMs));
  const served = (isAlone ? after : ended).every(good);
  return {
    passed: served && backAfterMs <= MOST_BACK_MS + SLACK_MS,
    text:
      `S15 ${form.name}, ${seconds(downMs)} of outage, ${isAlone ? 'alone' : 'with a second target'}: answered ` +
      `${during.filter(good).length} of ${during.length} during it and ${after.filter(good).length} of ${after.length} ` +
      `behind it, the longest after ${seconds(longestMs)}; back ${seconds(backAfterMs)} after its end; ` +
      `${asked} calls into it`,
  };
}

function isWhole(text: string, target: string): boolean {
  return text === textOfWords(target.endsWith('-lead') ? LEAD_WORDS : SECOND_WORDS);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

process.exitCode = await main();
