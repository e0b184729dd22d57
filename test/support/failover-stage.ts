import type { MessageInitShape } from '@bufbuild/protobuf';
import { onTestFinished } from 'vitest';

import type { GenerationOptionsSchema } from '../../gen/understudy/v1/chat_pb.ts';
import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import type { ChatResponse, StreamChatResponse_Finished } from '../../gen/understudy/v1/llm_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import type { RoutingOptionsSchema } from '../../gen/understudy/v1/routing_pb.ts';
import type { ConfigInput } from '../../src/config/file/schema.ts';
import type { System } from '../../src/core/ports.ts';
import type { ChaosUpstream } from './chaos-upstream.ts';
import { startChaosUpstream } from './chaos-upstream.ts';
import { say } from './chat-samples.ts';
import type { RunningGateway } from './gateway-doors.ts';
import { startGateway } from './gateway-doors.ts';
import type { RpcOptions } from './rpc-client.ts';
import { textOf } from './stream-text.ts';

/** The two calls that a conversation can be had with. */
export type Method = 'Chat' | 'StreamChat';

/** What a test asks. */
export interface Question {
  readonly model?: string;
  readonly text?: string;
  readonly options?: MessageInitShape<typeof GenerationOptionsSchema>;
  readonly routing?: MessageInitShape<typeof RoutingOptionsSchema>;
}

/** What both calls tell of a good answer. */
export type AnswerFields = Pick<
  ChatResponse,
  Exclude<keyof ChatResponse & keyof StreamChatResponse_Finished, '$typeName' | '$unknown'> | 'text'
>;

/** A gateway whose first target, `lead`, is a chaos upstream. */
export interface FailoverStage {
  readonly lead: ChaosUpstream;
  readonly gateway: RunningGateway;
  /** Asks and returns the answer; rejects with the status otherwise. */
  ask(method: Method, question?: Question, options?: RpcOptions): Promise<AnswerFields>;
}

type TargetInput = NonNullable<ConfigInput['targets']>[number];

/** The target that answers when the lead cannot: the mock. */
export const UNDERSTUDY: TargetInput = { name: 'understudy', provider: 'mock' };

/** A target that speaks Chat Completions with an upstream. */
export function chatTarget(name: string, origin: string, changes: Partial<TargetInput> = {}): TargetInput {
  return { name, provider: 'openai', base_url: `${origin}/v1`, api_key: 'sk-test', model: 'model-1', ...changes };
}

/** Starts a chaos upstream that ends with the test. */
export async function chaosUpstream(): Promise<ChaosUpstream> {
  const upstream = await startChaosUpstream();
  onTestFinished(() => upstream.close());
  return upstream;
}

/** Starts a gateway that ends with the test. */
export async function gatewayFor(input: ConfigInput, changes: Partial<System> = {}): Promise<RunningGateway> {
  const gateway = await startGateway({ retry: { backoff: ['10ms'], jitter: 'NONE' }, ...input }, changes);
  onTestFinished(() => gateway.close());
  return gateway;
}

/** Sets up the lead, what stands behind it (default: the understudy), and the gateway before them; `world`: what is another one for it. */
export async function stage(
  setup: { readonly lead?: Partial<TargetInput>; readonly others?: TargetInput[] } & Omit<ConfigInput, 'targets'> = {},
  world: Partial<System> = {},
): Promise<FailoverStage> {
  const { lead: changes, others = [UNDERSTUDY], ...rest } = setup;
  const lead = await chaosUpstream();
  const targets = [chatTarget('lead', lead.origin, changes), ...others];
  const gateway = await gatewayFor({ ...rest, targets }, world);
  return { lead, gateway, ask: (method, question, options) => ask(gateway, method, question, options) };
}

/** Makes the request of a question. */
export function requestOf({ text = 'hello', ...rest }: Question = {}) {
  return { messages: [say(Role.USER, text)], ...rest };
}

/**
 * Asks through one of the two calls. A unary one is limited to two tokens, so that the upstream is asked for JSON (engine
 * rule U1) and its answer timer is short.
 */
export async function ask(
  { client }: RunningGateway,
  method: Method,
  question: Question = {},
  options: RpcOptions = {},
): Promise<AnswerFields> {
  if (method === 'Chat') {
    const limited = { ...question, options: { maxTokens: 2, ...question.options } };
    return client.call(LlmService.method.chat, requestOf(limited), options);
  }
  const events = await client.stream(LlmService.method.streamChat, requestOf(question), options).done;
  const last = events.at(-1)?.event;
  if (last?.case !== 'finished') throw new Error('the stream ended with OK, but not with `finished`');
  return { ...last.value, text: textOf(events) };
}
