import { create, toBinary, toJsonString } from '@bufbuild/protobuf';
import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';

import { MessageSchema, Role } from '../../gen/understudy/v1/chat_pb.ts';
import type { Message } from '../../gen/understudy/v1/chat_pb.ts';
import { ChatRequestSchema, StreamChatRequestSchema } from '../../gen/understudy/v1/llm_pb.ts';
import type { ChatRequest } from '../../gen/understudy/v1/llm_pb.ts';
import { CHAT_DELTAS, DELTAS, DRIP_MS, promptFor, wantedBy } from './asked.ts';
import type { ScenarioName } from './asked.ts';

/** One kind of call as clients make it. */
export interface Scenario {
  readonly name: ScenarioName;
  /** What its prompt asks for; see asked.ts. */
  readonly key: string;
  /** Its heading in the report. */
  readonly title: string;
  /** The path of the method, at every door. */
  readonly path: string;
  readonly isStream: boolean;
  /** The request, not framed: that of the gateway in both forms, and that of Chat Completions. */
  readonly body: Readonly<Record<'proto' | 'json' | 'completions', Uint8Array>>;
  /** How long the upstream takes over an answer, in milliseconds. */
  readonly lastsMs: number;
  /** How many messages an answer may have. */
  readonly messages: { readonly least: number; readonly most: number };
}

/** An answer of at most so many tokens is asked for whole. */
const CHAT_MOST_TOKENS = 200;
const SYSTEM = 'You are the assistant of a travel agency. Answer briefly, and name your sources. '.repeat(3);
const USER = 'which of these three trips suits a family of four with a small dog, and why?';

const TITLES = {
  chat: 'Chat',
  open: `Chat without max_tokens, asked for as a stream of ${CHAT_DELTAS} deltas`,
  apart: `StreamChat, ${DELTAS} deltas, none joined`,
  joined: `StreamChat, ${DELTAS} deltas in one burst, which the gateway may join`,
  drip: `StreamChat, ${DELTAS} deltas, one every ${DRIP_MS} ms`,
} as const satisfies Record<ScenarioName, string>;

/** Everything that is measured, in the order of the report. */
export const SCENARIOS: readonly Scenario[] = [
  scenarioOf('chat'),
  scenarioOf('open'),
  scenarioOf('apart'),
  scenarioOf('joined'),
  scenarioOf('drip'),
];

/**
 * Returns the kind of call that has a prompt for a key.
 *
 * @param characters how long the prompt is besides
 */
export function scenarioOf(key: string, characters = 0): Scenario {
  const { name, pieces } = wantedBy(key);
  const isStream = name !== 'chat' && name !== 'open';
  const messages = [
    message(Role.SYSTEM, SYSTEM),
    message(Role.USER, `${promptFor(key)}${USER}${' word'.repeat(characters / 5)}`),
  ];
  const most = name === 'chat' ? { maxTokens: CHAT_MOST_TOKENS } : {};
  // started, deltas, one part_finished for each part, finished
  const streamed = name === 'apart' ? pieces.length + 4 : pieces.length + 3;
  return {
    name,
    key,
    title: TITLES[name],
    path: `/understudy.v1.LlmService/${isStream ? 'StreamChat' : 'Chat'}`,
    isStream,
    body: {
      ...(isStream
        ? forms(StreamChatRequestSchema, { messages })
        : forms(ChatRequestSchema, { messages, options: most })),
      completions: completionsBody(messages, isStream),
    },
    lastsMs: name === 'drip' ? pieces.length * DRIP_MS : 0,
    messages: isStream ? { least: name === 'apart' ? streamed : 4, most: streamed } : { least: 1, most: 1 },
  };
}

function forms<Schema extends DescMessage>(
  schema: Schema,
  init: MessageInitShape<Schema>,
): Pick<Scenario['body'], 'proto' | 'json'> {
  const request = create(schema, init);
  return { proto: toBinary(schema, request), json: Buffer.from(toJsonString(schema, request)) };
}

function completionsBody(messages: readonly Message[], isStream: boolean): Buffer {
  const asked = isStream ? { stream: true, stream_options: { include_usage: true } } : { max_tokens: CHAT_MOST_TOKENS };
  const said = messages.map(({ role, content }) => ({
    role: role === Role.SYSTEM ? 'system' : 'user',
    content: content[0]?.part.value,
  }));
  return Buffer.from(JSON.stringify({ model: 'bench-model', messages: said, ...asked }));
}

/** A request of a far client: what it asks for, with so many characters in its prompt. */
export function farPrompt(key: string, characters: number): ChatRequest {
  const text = `${promptFor(key)}${'word '.repeat(characters / 5)}`;
  return create(ChatRequestSchema, {
    messages: [message(Role.USER, text)],
    options: { maxTokens: CHAT_MOST_TOKENS },
  });
}

function message(role: Role, text: string): Message {
  return create(MessageSchema, { role, content: [{ part: { case: 'text', value: text } }] });
}

/** Throws where an answer had another number of messages than it should, or was cut off. */
export function checkCount(
  { title, messages: { least, most } }: Scenario,
  { messages, isComplete }: { readonly messages: number; readonly isComplete: boolean },
): void {
  if (isComplete && messages >= least && messages <= most) return;
  throw new Error(`${title}: ${messages} ${isComplete ? '' : 'and a cut off '}messages came, not ${least} to ${most}`);
}
