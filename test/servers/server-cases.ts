import type { MessageInitShape } from '@bufbuild/protobuf';

import type { GenerationOptionsSchema } from '../../gen/understudy/v1/chat_pb.ts';
import { FinishReason, Role } from '../../gen/understudy/v1/chat_pb.ts';
import { CircuitState } from '../../gen/understudy/v1/health_pb.ts';
import type { ChatResponse } from '../../gen/understudy/v1/llm_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { within } from '../../src/server/http/within.ts';
import { system } from '../../src/system.ts';
import type { MessageInit, PartInit } from '../support/chat-parts.ts';
import { image, result, results, tool, user } from '../support/chat-parts.ts';
import type { RunningGateway } from '../support/gateway-doors.ts';
import { piecesOfMessage } from '../support/recorded-answers.ts';
import { RpcError, trailOf } from '../support/rpc-error.ts';
import { streamedMessage } from '../support/streamed-message.ts';
import { textOf } from '../support/stream-text.ts';

/** A target of the gateway that is a real server, and what stands behind it. */
export interface ServerStage {
  readonly gateway: RunningGateway;
  /** The target with the right key, and one with a wrong key. */
  readonly own: string;
  readonly wrongKey: string;
  /** The target that names no model, so that all that is listed of it comes from the server. */
  readonly listing: string;
  /** What the server calls its model. */
  readonly model: string;
  /** A target that always answers. */
  readonly backup: string;
}

/** Says what is not as it should be; undefined where all is. */
type Check = (stage: ServerStage) => Promise<string | undefined>;

/** The least PNG there is: one dot. */
const DOT = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

const SAYS = 'Hello from a tiny model.';
const WINDOW = 512;
const WEATHER = tool('weather', '{"type":"object","properties":{"city":{"type":"string"}}}');

/** How long a call may take that a server with one slot would not answer while it is busy, in milliseconds. */
const FREE_AGAIN_MS = 10_000;

interface Asked {
  readonly parts?: readonly (PartInit | string)[];
  readonly messages?: readonly MessageInit[];
  readonly options?: MessageInitShape<typeof GenerationOptionsSchema>;
  readonly tools?: (typeof WEATHER)[];
  readonly targets?: readonly string[];
}

function requestOf({ own }: ServerStage, asked: Asked) {
  const { parts = ['Hi'], messages = [user(...parts)], options = {}, tools = [], targets = [own] } = asked;
  return {
    messages: [...messages],
    tools,
    options,
    routing: { targets: [...targets] },
  };
}

function ask(stage: ServerStage, asked: Asked = {}): Promise<ChatResponse> {
  return stage.gateway.client.call(LlmService.method.chat, requestOf(stage, asked));
}

async function streamed(stage: ServerStage, asked: Asked = {}) {
  const events = await stage.gateway.client.stream(LlmService.method.streamChat, requestOf(stage, asked)).done;
  const last = events.at(-1)?.event;
  if (last?.case !== 'finished') throw new Error('no `finished`');
  return { events, finished: last.value, text: textOf(events) };
}

/** Says what became of a call that the server refuses: the reason of the first attempt, and that the backup helps. */
function refused(asked: Asked, ...reasons: readonly string[]): Check {
  return async (stage) => {
    const { own, backup } = stage;
    const { targets = [own] } = asked;
    const { attempts } = await ask(stage, { ...asked, targets: [...targets, backup] });
    const trail = trailOf(attempts);
    const [, , first] = (trail[0] ?? '').split(' ');
    const helped = trail.at(-1)?.endsWith(` ${backup} OK`) === true;
    const { providers } = await stage.gateway.client.call(LlmService.method.health, {});
    const isOpen = providers.some(({ target, circuit }) => target === own && circuit === CircuitState.OPEN);
    if (isOpen) return 'the circuit is open';
    return helped && reasons.includes(first ?? '') ? undefined : trail.join(', ');
  };
}

function differs(what: string, seen: unknown, expected: unknown): string | undefined {
  return seen === expected ? undefined : `${what} ${JSON.stringify(seen)}`;
}

const finishName = (reason: FinishReason): string =>
  Object.entries(FinishReason).find(([, value]) => value === reason)?.[0] ?? String(reason);

/** What is tried on every server, in this order. */
const SERVER_CASES = {
  'model listed': async ({ gateway, listing, model }) => {
    const { models } = await gateway.client.call(LlmService.method.listModels, { target: listing });
    return models.some(({ id }) => id.startsWith(model)) ? undefined : models.map(({ id }) => id).join(', ');
  },
  'window listed': async ({ gateway, listing, model }) => {
    const { models } = await gateway.client.call(LlmService.method.listModels, { target: listing });
    return differs('window', models.find(({ id }) => id.startsWith(model))?.contextWindow, WINDOW);
  },
  unary: async (stage) => {
    const { text, finishReason, warnings } = await ask(stage);
    return (
      differs('text', text, SAYS) ??
      differs('finish', finishName(finishReason), 'STOP') ??
      differs('warnings', warnings.length, 0)
    );
  },
  'unary, short': async (stage) => {
    const { text, finishReason } = await ask(stage, { options: { maxTokens: 20 } });
    return differs('text', text, SAYS) ?? differs('finish', finishName(finishReason), 'STOP');
  },
  stream: async (stage) => {
    const { text, finished } = await streamed(stage);
    return differs('text', text, SAYS) ?? differs('finish', finishName(finished.finishReason), 'STOP');
  },
  usage: async (stage) => {
    const [{ usage: whole }, { finished }] = [await ask(stage, { options: { maxTokens: 20 } }), await streamed(stage)];
    const isCounted = [whole, finished.usage].every(
      (usage) => (usage?.inputTokens ?? 0) > 0 && (usage?.outputTokens ?? 0) > 0,
    );
    return isCounted
      ? undefined
      : `${whole?.inputTokens}+${whole?.outputTokens}, ${finished.usage?.inputTokens}+${finished.usage?.outputTokens}`;
  },
  'cost unknown': async (stage) => {
    const { cost } = await ask(stage);
    return cost?.nanoUsd === undefined || cost.nanoUsd === 0n ? undefined : `${cost.nanoUsd} nano-USD`;
  },
  max_tokens: async (stage) => {
    const { finished } = await streamed(stage, { parts: ['Sing.'], options: { maxTokens: 4 } });
    const whole = await ask(stage, { parts: ['Sing.'], options: { maxTokens: 4 } });
    return (
      differs('streamed', finishName(finished.finishReason), 'LENGTH') ??
      differs('whole', finishName(whole.finishReason), 'LENGTH')
    );
  },
  'tool call': async (stage) => {
    const { events, finished } = await streamed(stage, { tools: [WEATHER] });
    const whole = piecesOfMessage((await ask(stage, { tools: [WEATHER] })).message).calls;
    const message = streamedMessage(events);
    const calls = message.content.flatMap(({ part }) => (part?.case === 'toolCall' ? [part.value] : []));
    const [call] = calls;
    if (calls.length !== 1 || call === undefined) return `${calls.length} calls`;
    const wrong =
      differs('arguments', readCity(call.argumentsJson ?? ''), 'Oslo') ??
      differs('whole', readCity(whole[0]?.arguments ?? ''), 'Oslo') ??
      differs('finish', finishName(finished.finishReason), 'TOOL_CALLS');
    if (wrong !== undefined) return wrong;
    const told = results(result(call.id ?? '', ['Rain.']));
    const next = await streamed(stage, { messages: [user('Hi'), message, told], tools: [WEATHER] });
    return differs('next turn', next.text, 'It rains.');
  },
  stop: async (stage) => {
    const { text, finished } = await streamed(stage, { options: { stop: [' a '] } });
    return differs('text', text, 'Hello from') ?? differs('finish', finishName(finished.finishReason), 'STOP');
  },
  'two system messages': async (stage) => {
    const system = (text: string): MessageInit => ({ ...user(text), role: Role.SYSTEM });
    return differs('text', (await ask(stage, { messages: [system('A'), system('B'), user('Hi')] })).text, SAYS);
  },
  overflow: refused({ parts: ['word '.repeat(2_000)] }, 'CONTEXT_LENGTH_EXCEEDED'),
  'max_tokens above the window': async (stage) => {
    const trail = trailOf(
      (await ask(stage, { options: { maxTokens: 100_000 }, targets: [stage.own, stage.backup] })).attempts,
    );
    const [first = ''] = trail;
    return first.endsWith(' OK') || first.endsWith(' CONTEXT_LENGTH_EXCEEDED') ? undefined : trail.join(', ');
  },
  image: async (stage) => refused({ parts: [image(DOT), 'Hi'] }, 'UNSUPPORTED_PARAMETER')(stage),
  'unknown model': (stage) => refused({ targets: [`${stage.own}/nonsense`] }, 'MODEL_NOT_FOUND')(stage),
  'wrong key': (stage) => refused({ targets: [stage.wrongKey] }, 'PROVIDER_AUTH_FAILED')(stage),
  cancel: async (stage) => {
    const stream = stage.gateway.client.stream(LlmService.method.streamChat, requestOf(stage, { parts: ['Sing.'] }));
    await stream.at(3);
    stream.cancel();
    await stream.done.catch(() => undefined);
    const after = ask(stage);
    return (await within(system, FREE_AGAIN_MS, after)) ? undefined : 'the server is still busy';
  },
} as const satisfies Readonly<Record<string, Check>>;

/** The name of a case. */
export type ServerCase = keyof typeof SERVER_CASES;

/** The names of all cases, in order. */
export const SERVER_CASE_NAMES = Object.keys(SERVER_CASES).filter(isCase);

function isCase(name: string): name is ServerCase {
  return Object.hasOwn(SERVER_CASES, name);
}

/** Tries one case and says what came of it: `ok`, or what was not right. Never rejects. */
export async function tryCase(name: ServerCase, stage: ServerStage): Promise<string> {
  try {
    return (await SERVER_CASES[name](stage)) ?? 'ok';
  } catch (error) {
    if (!(error instanceof RpcError)) return error instanceof Error ? error.message : String(error);
    return [error.code, error.reason, ...trailOf(error.trail)].join(' ');
  }
}

function readCity(argumentsJson: string): unknown {
  try {
    return (JSON.parse(argumentsJson) as { readonly city?: unknown }).city;
  } catch {
    return argumentsJson;
  }
}
