import type { MessageInitShape } from '@bufbuild/protobuf';

import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import type { ChatRequestSchema, ChatResponse } from '../../gen/understudy/v1/llm_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import type { Attempt } from '../../gen/understudy/v1/routing_pb.ts';
import { AttemptKind } from '../../gen/understudy/v1/routing_pb.ts';
import type { Cost, Usage } from '../../gen/understudy/v1/usage_pb.ts';
import { CostSource } from '../../gen/understudy/v1/usage_pb.ts';
import { say } from './chat-samples.ts';
import type { RpcClient } from './rpc-client.ts';
import { reasonName, RpcError } from './rpc-error.ts';

/** A call as its caller was told of it. */
export interface ToldCall {
  readonly requestId: string;
  readonly method: 'Generate' | 'Chat' | 'StreamChat';
  /** Name of the canonical code. */
  readonly status: string;
  /** Empty where the call succeeded. */
  readonly reason: string;
  readonly attempts: readonly ToldAttempt[];
  readonly usage: Usage | undefined;
  /** What all attempts together cost; undefined where the caller was not told. */
  readonly cost: ToldCost | undefined;
}

/** What the trail tells of an attempt, in words. */
export interface ToldAttempt {
  readonly number: number;
  readonly kind: string;
  readonly target: string;
  readonly model: string;
  readonly outcome: string;
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly usage: Usage | undefined;
  readonly cost: ToldCost | undefined;
}

/** An amount and how sure it is, in words. */
export interface ToldCost {
  readonly nanoUsd: bigint | undefined;
  readonly source: string;
}

/** What all three methods can be asked. */
export type ToldRequest = Pick<
  MessageInitShape<typeof ChatRequestSchema>,
  'model' | 'options' | 'routing' | 'labels'
> & {
  readonly prompt: string;
  readonly system?: string;
};

type Answer = Pick<ChatResponse, 'attempts' | 'usage' | 'cost'>;

/** Makes a call and returns what its caller is told, whether it succeeds or not. */
export async function tell(
  client: RpcClient,
  method: ToldCall['method'],
  requestId: string,
  request: ToldRequest,
): Promise<ToldCall> {
  try {
    const { attempts, usage, cost } = await askBy(client, method, requestId, request);
    return { requestId, method, status: 'OK', reason: '', attempts: attempts.map(inWords), usage, cost: costOf(cost) };
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    const attempts = error.trail.map(inWords);
    return {
      requestId,
      method,
      status: error.code,
      reason: error.reason,
      attempts,
      usage: undefined,
      cost: sum(attempts),
    };
  }
}

async function askBy(
  client: RpcClient,
  method: ToldCall['method'],
  requestId: string,
  request: ToldRequest,
): Promise<Answer> {
  const { prompt, system, ...rest } = request;
  const messages = [...(system === undefined ? [] : [say(Role.SYSTEM, system)]), say(Role.USER, prompt)];
  switch (method) {
    case 'Generate':
      return client.call(LlmService.method.generate, { prompt, system: system ?? '', requestId, ...rest });
    case 'Chat':
      return client.call(LlmService.method.chat, { messages, requestId, ...rest });
    case 'StreamChat': {
      const events = await client.stream(LlmService.method.streamChat, { messages, requestId, ...rest }).done;
      const last = events.at(-1)?.event;
      if (last?.case !== 'finished') throw new Error('the stream ended with OK, but not with `finished`');
      return last.value;
    }
  }
}

function inWords(attempt: Attempt): ToldAttempt {
  const { number, kind, target, model, outcome, httpStatus, providerCode, usage, cost } = attempt;
  const kindName = Object.entries(AttemptKind).find(([, value]) => value === kind)?.[0] ?? '';
  const outcomeName = outcome === 0 ? 'OK' : reasonName(outcome);
  const code = providerCode === '' ? undefined : providerCode;
  return {
    number,
    kind: kindName,
    target,
    model,
    outcome: outcomeName,
    status: httpStatus,
    code,
    usage,
    cost: costOf(cost),
  };
}

function costOf(cost: Cost | undefined): ToldCost | undefined {
  if (cost === undefined) return undefined;
  const source = Object.entries(CostSource).find(([, value]) => value === cost.source)?.[0] ?? '';
  return { nanoUsd: cost.nanoUsd, source };
}

/** An error tells what its attempts cost, but not the sum. */
function sum(attempts: readonly ToldAttempt[]): ToldCost | undefined {
  const costs = attempts.flatMap(({ cost }) => (cost === undefined ? [] : [cost]));
  if (costs.length === 0) return undefined;
  if (costs.some(({ nanoUsd }) => nanoUsd === undefined)) return { nanoUsd: undefined, source: 'UNKNOWN' };
  const source = costs.every((cost) => cost.source === 'EXACT') ? 'EXACT' : 'ESTIMATED';
  return { nanoUsd: costs.reduce((total, { nanoUsd = 0n }) => total + nanoUsd, 0n), source };
}
