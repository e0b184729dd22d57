/** Runs as a process of its own: makes healthy calls at an even pace and tells its parent what became of them. */

import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { say } from '../support/chat-samples.ts';
import { openRpcClient } from '../support/rpc-client.ts';
import { RpcError } from '../support/rpc-error.ts';
import { postJson } from '../support/web-calls.ts';

/** What the parent says: where to call and when to begin and to end. */
export type HealthyOrder = { readonly begin: HealthyDoors } | { readonly end: true };

/** Where to call, and the API key to show. */
export interface HealthyDoors {
  readonly grpc: string;
  readonly web: string;
  readonly key: string;
  /** Most calls at a time, where the gateway is not asked how fast it is: the calls of a busy machine would crowd each other out. */
  readonly mostOpen?: number | undefined;
  /** Of each call, in milliseconds; 5,000. */
  readonly deadlineMs?: number | undefined;
}

/** What became of the calls between `begin` and `end`. */
export interface HealthyReport {
  readonly calls: number;
  /** Latencies of those that succeeded, in milliseconds, from the moment at which each was due; sorted. */
  readonly latenciesMs: readonly number[];
  /** What the others ended with, and how often. */
  readonly failures: Readonly<Record<string, number>>;
}

/** Calls a second: 20 on each of three ways. */
const EVERY_MS = 1_000 / 60;
const DEADLINE_MS = 5_000;

let finish: (() => Promise<HealthyReport>) | undefined;

process.on('message', (order: HealthyOrder) => {
  if ('begin' in order) finish = begin(order.begin);
  else void finish?.().then((report) => process.send?.(report));
});
process.on('disconnect', () => process.exit());

function begin({
  grpc,
  web,
  key,
  mostOpen = Infinity,
  deadlineMs = DEADLINE_MS,
}: HealthyDoors): () => Promise<HealthyReport> {
  const client = openRpcClient(grpc);
  const own = { 'x-api-key': key };
  const options = { deadlineMs, metadata: own };
  const messages = [say(Role.USER, 'Who is there?')];
  const ways = [
    () => client.call(LlmService.method.chat, { messages }, options),
    () => client.stream(LlmService.method.streamChat, { messages }, options).done,
    async () => {
      const answer = await Promise.race([
        postJson(web, 'Generate', { prompt: 'Who is there?' }, own),
        timeOut(deadlineMs),
      ]);
      if (answer.status !== 200) throw new Error(`HTTP ${answer.status}`);
    },
  ];
  const latenciesMs: number[] = [];
  const failures: Record<string, number> = {};
  const open = new Set<Promise<void>>();
  const beganAt = performance.now();
  let due = 0;
  const call = async (way: () => Promise<unknown>, dueAt: number): Promise<void> => {
    try {
      await way();
      latenciesMs.push(performance.now() - dueAt);
    } catch (error) {
      const word = wordOf(error);
      failures[word] = (failures[word] ?? 0) + 1;
    }
  };
  const tick = (): void => {
    // What is late is made up for, so that a stall is seen by as many calls as it meets.
    while (open.size < mostOpen && beganAt + due * EVERY_MS <= performance.now()) {
      const way = ways[due % ways.length];
      if (way === undefined) return;
      const made = call(way, beganAt + due * EVERY_MS);
      open.add(made);
      void made.then(() => open.delete(made));
      due += 1;
    }
  };
  const timer = setInterval(tick, 5);
  return async () => {
    clearInterval(timer);
    await Promise.all(open);
    client.close();
    return { calls: due, latenciesMs: latenciesMs.sort((one, other) => one - other), failures };
  };
}

async function timeOut(deadlineMs: number): Promise<{ readonly status: number }> {
  await new Promise((resolve) => setTimeout(resolve, deadlineMs).unref());
  return { status: 0 };
}

function wordOf(error: unknown): string {
  if (error instanceof RpcError) return `${error.code} ${error.reason ?? ''}`.trim();
  if (!(error instanceof Error)) return 'odd';
  const { cause } = error;
  return typeof cause === 'object' && cause !== null && 'code' in cause
    ? `web ${String(cause.code)}`
    : `web ${error.message}`;
}
