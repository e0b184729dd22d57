import { create, fromJson } from '@bufbuild/protobuf';
import type { JsonValue } from '@bufbuild/protobuf';

import { FinishReason, MessageSchema, Role } from '../../gen/understudy/v1/chat_pb.ts';
import type { ChatRequest, ChatResponse } from '../../gen/understudy/v1/llm_pb.ts';
import { ChatRequestSchema, LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import type { Warning } from '../../gen/understudy/v1/routing_pb.ts';
import type { Cost, Usage } from '../../gen/understudy/v1/usage_pb.ts';
import type { CaseMode } from './case-files.ts';
import type { CaseRequest } from './case-upstream.ts';
import type { MessageInit } from './chat-parts.ts';
import { result, results } from './chat-parts.ts';
import type { RunningGateway } from './gateway-doors.ts';
import { piecesOfMessage, piecesOfStream } from './recorded-answers.ts';
import type { Pieces } from './recorded-answers.ts';
import { RpcError, trailOf } from './rpc-error.ts';
import { streamedMessage } from './streamed-message.ts';

/** What a caller gets. */
export interface Outcome extends Pieces {
  /** Such as `['FIRST own PROVIDER_RATE_LIMITED', 'FAILOVER backup OK']`. */
  readonly trail: readonly string[];
  /** The name of the finish reason; empty where the call failed. */
  readonly finish: string;
  readonly usage: Usage | undefined;
  readonly cost: Cost | undefined;
  readonly warnings: readonly Warning[];
  /** The status that the call ended with; undefined for OK. */
  readonly error: RpcError | undefined;
  /** The message of the assistant as a caller sends it back. */
  readonly message: MessageInit | undefined;
}

/** A case that was asked once, with what else can be found out about it. */
export interface CaseRun {
  readonly mode: CaseMode;
  readonly outcome: Outcome;
  /** What the case's server was asked by the calls so far, in order. */
  readonly requests: readonly CaseRequest[];
  /** Asks the target of the case alone, with nobody behind it. */
  alone(): Promise<Outcome>;
  /** Sends the answer back, with `sunny` as the result of each call. */
  nextTurn(): Promise<Outcome>;
  /** Why no call goes to the target of the case; empty where calls do. */
  suspendedReason(): Promise<string>;
}

/** Where a case is played. */
export interface CaseStage {
  readonly gateway: RunningGateway;
  readonly mode: CaseMode;
  /** The name of the case's target; it is told as `own`. */
  readonly own: string;
  /** Who else may be asked, in order. */
  readonly others: readonly string[];
  readonly request: JsonValue;
  requests(): readonly CaseRequest[];
}

/** Asks a case once. */
export async function playCase(stage: CaseStage): Promise<CaseRun> {
  const request = fromJson(ChatRequestSchema, stage.request);
  const all = [stage.own, ...stage.others];
  const outcome = await ask(stage, request, all);
  return {
    mode: stage.mode,
    outcome,
    get requests() {
      return stage.requests();
    },
    alone: () => ask(stage, request, [stage.own]),
    nextTurn: () => {
      const sunny = results(...outcome.calls.map(({ id }) => result(id, ['sunny'])));
      const { message = { role: Role.ASSISTANT } } = outcome;
      const messages = [...request.messages, create(MessageSchema, message), create(MessageSchema, sunny)];
      return ask(stage, create(ChatRequestSchema, { ...request, messages }), all);
    },
    suspendedReason: async () => {
      const { providers } = await stage.gateway.client.call(LlmService.method.health, {});
      return providers.find(({ target }) => target === stage.own)?.suspendedReason ?? 'no such target';
    },
  };
}

async function ask(stage: CaseStage, request: ChatRequest, targets: string[]): Promise<Outcome> {
  const { client } = stage.gateway;
  const { chat, streamChat } = LlmService.method;
  const { messages, tools, toolChoice, options } = request;
  const asked = { messages, tools, toolChoice, options, routing: { targets } };
  if (stage.mode === 'unary') {
    const answered = await client.call(chat, asked).catch(failed);
    if (answered instanceof RpcError) return failure(stage, answered, { text: '', reasoning: '', calls: [] });
    return success(stage, answered, piecesOfMessage(answered.message), answered.message);
  }
  const stream = client.stream(streamChat, asked);
  const events = await stream.done.catch(failed);
  if (events instanceof RpcError) return failure(stage, events, piecesOfStream(stream.received));
  const last = events.at(-1)?.event;
  if (last?.case !== 'finished') throw new Error('a stream that ended with OK has to end with `finished`');
  return success(stage, last.value, piecesOfStream(events), streamedMessage(events));
}

/** Takes the status that a call ended with; throws anything else again. */
function failed(thrown: unknown): RpcError {
  if (thrown instanceof RpcError) return thrown;
  throw thrown;
}

type Answered = Pick<ChatResponse, 'attempts' | 'finishReason' | 'usage' | 'cost' | 'warnings'>;

function success(stage: CaseStage, answered: Answered, pieces: Pieces, message: MessageInit | undefined): Outcome {
  const { attempts, finishReason, usage, cost, warnings } = answered;
  const finish = Object.entries(FinishReason).find(([, value]) => value === finishReason)?.[0] ?? '';
  return { ...pieces, trail: told(stage, attempts), finish, usage, cost, warnings, error: undefined, message };
}

function failure(stage: CaseStage, error: RpcError, pieces: Pieces): Outcome {
  const trail = told(stage, error.trail);
  return { ...pieces, trail, finish: '', usage: undefined, cost: undefined, warnings: [], error, message: undefined };
}

function told({ own }: CaseStage, attempts: RpcError['trail']): readonly string[] {
  return trailOf(attempts).map((line) => line.replace(` ${own} `, ' own '));
}
