import { setTimeout as passed } from 'node:timers/promises';

import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import type { StreamChatResponse } from '../../gen/understudy/v1/llm_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { Recovery } from '../../gen/understudy/v1/routing_pb.ts';
import { say } from '../support/chat-samples.ts';

import type { RpcClient } from '../support/rpc-client.ts';
import { RpcError } from '../support/rpc-error.ts';
import { mulberry32 } from '../support/virtual-runtime.ts';
import { promptOf, wordsOf } from './words.ts';
import { counted, textOf } from '../support/stream-text.ts';

/** What callers have seen so far. */
export interface Seen {
  calls: number;
  answered: number;
  restarted: number;
  /** Streams that ended with ABORTED, explicitly. */
  interrupted: number;
  cancelled: number;
  /** Calls that were turned away unseen, because the gateway had too much to do. */
  shed: number;
  characters: number;
  /** Texts that were not, to the character, what the target that gave them says: none is allowed. */
  readonly wrong: string[];
  /** Ends that nobody could have expected: none is allowed. */
  readonly unexpected: Map<string, number>;
}

/** A crowd of callers that each make one call after the other. */
export interface Callers {
  readonly seen: Seen;
  /** Lets nobody begin a new call, and resolves when the last is over. */
  pause(): Promise<void>;
  resume(): void;
}

/** Makes callers. `cancels` is the share of calls that are left early, 0 to 1. */
export function createCallers(
  clients: readonly RpcClient[],
  { count, cancels, seed }: { readonly count: number; readonly cancels: number; readonly seed: number },
): Callers {
  const random = mulberry32(seed);
  const seen: Seen = {
    calls: 0,
    answered: 0,
    restarted: 0,
    interrupted: 0,
    cancelled: 0,
    shed: 0,
    characters: 0,
    wrong: [],
    unexpected: new Map(),
  };
  const state = { isPaused: true };
  let loops: Promise<void>[] = [];
  const loop = async (index: number): Promise<void> => {
    const client = clients[index % clients.length];
    if (client === undefined) return;
    while (!state.isPaused) {
      seen.calls += 1;
      const leavesAfterMs = random() < cancels ? random() * 1_000 : undefined;
      const kind = random();
      const waitMs = await (kind < 0.2
        ? chat(client, seen.calls, seen, leavesAfterMs)
        : streamChat(client, seen.calls, seen, kind < 0.6, leavesAfterMs));
      if (waitMs > 0) await passed(waitMs);
    }
  };
  return {
    seen,
    pause: async () => {
      state.isPaused = true;
      await Promise.all(loops);
    },
    resume: () => {
      state.isPaused = false;
      loops = Array.from({ length: count }, (_, index) => loop(index));
    },
  };
}

/** Leaves after a while, or never; `stay` takes the resolution back. */
function leaving(afterMs: number | undefined): { readonly signal: AbortSignal; stay(): void } {
  const leave = new AbortController();
  const stay = new AbortController();
  if (afterMs !== undefined) {
    passed(afterMs, undefined, { signal: stay.signal }).then(
      () => leave.abort(),
      () => undefined,
    );
  }
  return { signal: leave.signal, stay: () => stay.abort() };
}

/** Makes a call, and returns for how many milliseconds the gateway asks to be left alone. */
async function chat(client: RpcClient, id: number, seen: Seen, leavesAfterMs: number | undefined): Promise<number> {
  const { signal, stay } = leaving(leavesAfterMs);
  try {
    const messages = [say(Role.USER, promptOf(id))];
    const { text, target } = await client.call(LlmService.method.chat, { messages }, { signal });
    seen.answered += 1;
    check(seen, id, text, wordsOf(target, id).join(''), true);
    return 0;
  } catch (error) {
    return ended(seen, error, signal, false);
  } finally {
    stay();
  }
}

async function streamChat(
  client: RpcClient,
  id: number,
  seen: Seen,
  restarts: boolean,
  leavesAfterMs: number | undefined,
): Promise<number> {
  const { signal, stay } = leaving(leavesAfterMs);
  let waitMs = 0;
  const recovery = restarts ? Recovery.RESTART : Recovery.FAIL;
  const request = { messages: [say(Role.USER, promptOf(id))], recovery };
  const stream = client.stream(LlmService.method.streamChat, request, { signal });
  try {
    await stream.done;
    seen.answered += 1;
  } catch (error) {
    waitMs = ended(seen, error, signal, true);
  } finally {
    stay();
  }
  const events = stream.received;
  const last = events.at(-1)?.event;
  const text = textOf(counted(events));
  const target = targetOf(events);
  if (events.some(({ event }) => event.case === 'restarted')) seen.restarted += 1;
  if (events.some(({ sequence }, index) => sequence !== BigInt(index + 1)))
    seen.wrong.push(`call ${id}: a gap in the numbers`);
  if (target !== undefined) check(seen, id, text, wordsOf(target, id).join(''), last?.case === 'finished');
  return waitMs;
}

/** Whose words those are that count at the end. */
function targetOf(events: readonly StreamChatResponse[]): string | undefined {
  let target: string | undefined;
  for (const { event } of events)
    if (event.case === 'started' || event.case === 'restarted') target = event.value.target;
  return target;
}

function check(seen: Seen, id: number, text: string, whole: string, isComplete: boolean): void {
  seen.characters += text.length;
  if (isComplete ? text !== whole : !whole.startsWith(text))
    seen.wrong.push(`call ${id}: ${JSON.stringify(text.slice(0, 80))}`);
}

/** Notes how a call failed; a well-behaved client that was turned away comes back when it is told to. */
function ended(seen: Seen, error: unknown, signal: AbortSignal, isStream: boolean): number {
  const told = error instanceof RpcError ? error : undefined;
  if (signal.aborted) seen.cancelled += 1;
  else if (told?.reason === 'OVERLOADED') {
    seen.shed += 1;
    return Number(told.pushback);
  } else if (isStream && told?.reason === 'STREAM_INTERRUPTED') seen.interrupted += 1;
  else {
    const word = told === undefined ? String(error) : `${told.code} ${told.reason}`;
    seen.unexpected.set(word, (seen.unexpected.get(word) ?? 0) + 1);
  }
  return 0;
}
