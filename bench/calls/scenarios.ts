import { create, toBinary, toJsonString } from '@bufbuild/protobuf';
import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';

import { MessageSchema, Role } from '../../gen/understudy/v1/chat_pb.ts';
import type { GenerationOptionsSchema, Message } from '../../gen/understudy/v1/chat_pb.ts';
import { ChatRequestSchema, StreamChatRequestSchema } from '../../gen/understudy/v1/llm_pb.ts';
import type { ChatRequest } from '../../gen/understudy/v1/llm_pb.ts';

/** How many deltas a stream has. */
const DELTAS = 100;

/** Milliseconds between two deltas of a dripped stream. */
export const DRIP_MS = 5;

/** A word in the prompt by which the fake upstream and the floors know what to answer. */
const MARKS = {
  chat: 'ask-chat',
  open: 'ask-open',
  apart: 'ask-apart',
  joined: 'ask-joined',
  drip: 'ask-drip',
} as const;

/** What is measured: one kind of call. */
export type ScenarioName = keyof typeof MARKS;

/** One kind of call as clients make it. */
export interface Scenario {
  readonly name: ScenarioName;
  /** Its heading in the report. */
  readonly title: string;
  /** The path of the method, at every door. */
  readonly path: string;
  readonly isStream: boolean;
  /** The request, not framed. */
  readonly body: Readonly<Record<'proto' | 'json', Uint8Array>>;
  /** How long the upstream takes over an answer, in milliseconds. */
  readonly lastsMs: number;
  /** How many messages an answer may have. */
  readonly messages: { readonly least: number; readonly most: number };
}

/** The pieces of the answer, in order. Those of `apart` are reasoning and text in turn, so that no two can be joined. */
export const PIECES: readonly string[] = Array.from({ length: DELTAS }, (_, index) => `word${index} `);

/** The answer of Chat, whole and in the pieces that come where it is streamed upstream. */
export const CHAT_PIECES: readonly string[] = PIECES.slice(0, 60);
export const CHAT_TEXT = CHAT_PIECES.join('');
/** An answer of at most so many tokens is asked for whole. */
const CHAT_MOST_TOKENS = 200;

/** The answer of far clients that want a long one: it stands twice in the answer of Chat, which has 10 MiB. */
export const LONG_TEXT = 'a'.repeat(5 * 1024 * 1024);

/** The word in the prompt that asks for it. */
export const LONG_MARK = 'ask-long';

/** Which part of the answer a piece of a stream belongs to. */
export function kindOfPiece(name: ScenarioName, index: number): 'text' | 'reasoning' {
  return name === 'apart' && index % 2 === 0 ? 'reasoning' : 'text';
}

/** The pieces of a stream that belong to one part, joined. */
export function piecesOf(name: ScenarioName, kind: 'text' | 'reasoning'): string {
  return PIECES.filter((_, index) => kindOfPiece(name, index) === kind).join('');
}

/** Finds out what is asked for, from the bytes of a request of whatever protocol; undefined where nothing is. */
export function scenarioIn(request: Buffer): ScenarioName | undefined {
  const at = request.indexOf('ask-');
  if (at === -1) return undefined;
  const next = request[at + 4];
  if (next === 0x63) return 'chat';
  if (next === 0x6f) return 'open';
  if (next === 0x64) return 'drip';
  return next === 0x61 ? 'apart' : 'joined';
}

/** Everything that is measured, in the order of the report. */
export const SCENARIOS: readonly Scenario[] = [
  { name: 'chat', title: 'Chat', ...chat('chat', { maxTokens: CHAT_MOST_TOKENS }) },
  {
    name: 'open',
    title: `Chat without max_tokens, asked for as a stream of ${CHAT_PIECES.length} deltas`,
    ...chat('open', {}),
  },
  {
    name: 'apart',
    title: `StreamChat, ${DELTAS} deltas, none joined`,
    ...stream('apart'),
    // started, deltas, one part_finished for each of the two parts, finished
    messages: { least: DELTAS + 4, most: DELTAS + 4 },
  },
  {
    name: 'joined',
    title: `StreamChat, ${DELTAS} deltas in one burst, which the gateway may join`,
    ...stream('joined'),
    messages: { least: 4, most: DELTAS + 3 },
  },
  {
    name: 'drip',
    title: `StreamChat, ${DELTAS} deltas, one every ${DRIP_MS} ms`,
    ...stream('drip'),
    lastsMs: DELTAS * DRIP_MS,
    messages: { least: 4, most: DELTAS + 3 },
  },
];

function chat(
  name: ScenarioName,
  options: MessageInitShape<typeof GenerationOptionsSchema>,
): Omit<Scenario, 'name' | 'title'> {
  const body = bodies(ChatRequestSchema, { messages: prompt(name), options });
  return { path: '/understudy.v1.LlmService/Chat', isStream: false, body, lastsMs: 0, messages: { least: 1, most: 1 } };
}

function stream(name: ScenarioName): Omit<Scenario, 'name' | 'title' | 'messages'> {
  const body = bodies(StreamChatRequestSchema, { messages: prompt(name) });
  return { path: '/understudy.v1.LlmService/StreamChat', isStream: true, body, lastsMs: 0 };
}

function bodies<Schema extends DescMessage>(schema: Schema, init: MessageInitShape<Schema>): Scenario['body'] {
  const message = create(schema, init);
  return { proto: toBinary(schema, message), json: Buffer.from(toJsonString(schema, message)) };
}

/** A request of a far client: for the answer of Chat or the long one, with so many characters in its prompt. */
export function farPrompt(answer: 'chat' | 'long', characters: number): ChatRequest {
  const text = `${answer === 'chat' ? MARKS.chat : LONG_MARK}: ${'word '.repeat(characters / 5)}`;
  return create(ChatRequestSchema, {
    messages: [create(MessageSchema, { role: Role.USER, content: [{ part: { case: 'text', value: text } }] })],
    ...(answer === 'chat' && { options: { maxTokens: CHAT_MOST_TOKENS } }),
  });
}

function prompt(name: ScenarioName): Message[] {
  const message = (role: Role, text: string): Message =>
    create(MessageSchema, { role, content: [{ part: { case: 'text', value: text } }] });
  return [
    message(Role.SYSTEM, 'You are the assistant of a travel agency. Answer briefly, and name your sources. '.repeat(3)),
    message(Role.USER, `${MARKS[name]}: which of these three trips suits a family of four with a small dog, and why?`),
  ];
}

/** Throws where an answer had another number of messages than it should, or was cut off. */
export function checkCount(
  { title, messages: { least, most } }: Scenario,
  { messages, isComplete }: { readonly messages: number; readonly isComplete: boolean },
): void {
  if (isComplete && messages >= least && messages <= most) return;
  throw new Error(`${title}: ${messages} ${isComplete ? '' : 'and a cut off '}messages came, not ${least} to ${most}`);
}
