import { expect } from 'vitest';

import type { ChatResponse, StreamChatResponse, StreamChatResponse_Finished } from '../../gen/understudy/v1/llm_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import type { Attempt } from '../../gen/understudy/v1/routing_pb.ts';
import { Recovery } from '../../gen/understudy/v1/routing_pb.ts';
import type { Question } from './failover-stage.ts';
import { requestOf } from './failover-stage.ts';
import type { RunningGateway } from './gateway-doors.ts';
import type { RpcOptions } from './rpc-client.ts';
import { RpcError, trailOf } from './rpc-error.ts';
import { counted, textOf } from './stream-text.ts';

/** The ways in which a conversation can be had: whole, or streamed with either recovery. Each asks its upstream for a stream. */
export const WAYS = ['Chat', 'StreamChat', 'StreamChat with RESTART'] as const;
export type Way = (typeof WAYS)[number];

/** How a call ended, for its caller. */
export interface Told {
  /** What counts of the text, as a client finds out by `restarted` alone. */
  readonly text: string;
  /** All text that came, also what was to be discarded later. */
  readonly delivered: string;
  /** The events of a stream. */
  readonly events: readonly StreamChatResponse[];
  readonly trail: readonly string[];
  readonly attempts: readonly Attempt[];
  /** What was said with the answer, where it is complete. */
  readonly answer?: ChatResponse | StreamChatResponse_Finished;
  /** The status, where it is not. */
  readonly error?: RpcError;
}

/** Asks in one of the ways, and checks of a stream what must be true of each, however it ends. */
export async function askIn(
  { client }: Pick<RunningGateway, 'client'>,
  way: Way,
  question: Question = {},
  options: RpcOptions = {},
): Promise<Told> {
  if (way === 'Chat') {
    try {
      const answer = await client.call(LlmService.method.chat, requestOf(question), options);
      return { ...whole(answer), text: answer.text, delivered: answer.text, events: [] };
    } catch (error) {
      return { ...broken(error), text: '', delivered: '', events: [] };
    }
  }
  const recovery = way === 'StreamChat' ? Recovery.FAIL : Recovery.RESTART;
  const stream = client.stream(LlmService.method.streamChat, { ...requestOf(question), recovery }, options);
  const error: unknown = await stream.done.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const events = stream.received;
  checkStream(events, error === undefined);
  const last = events.at(-1)?.event;
  const end = last?.case === 'finished' ? whole(last.value) : broken(error);
  return { ...end, text: textOf(counted(events)), delivered: textOf(events), events };
}

/** Numbers without a gap; `started` first and once; text only behind it; `finished` last, and only of a good end. */
function checkStream(events: readonly StreamChatResponse[], isGood: boolean): void {
  expect(events.map(({ sequence }) => Number(sequence))).toEqual(events.map((_, index) => index + 1));
  const cases = events.map(({ event }) => event.case);
  const told = cases.filter((name) => name !== 'ping');
  expect(told.indexOf('started')).toBe(told.length === 0 ? -1 : 0);
  expect(told.lastIndexOf('started')).toBe(told.length === 0 ? -1 : 0);
  expect(cases.indexOf('finished')).toBe(isGood ? cases.length - 1 : -1);
}

function whole(answer: ChatResponse | StreamChatResponse_Finished): Pick<Told, 'answer' | 'attempts' | 'trail'> {
  return { answer, attempts: answer.attempts, trail: trailOf(answer.attempts) };
}

function broken(error: unknown): Pick<Told, 'error' | 'attempts' | 'trail'> {
  if (!(error instanceof RpcError)) throw error;
  return { error, attempts: error.trail, trail: trailOf(error.trail) };
}
