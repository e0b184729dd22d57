import { create, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';

import { MessageSchema, Role } from '../gen/understudy/v1/chat_pb.ts';
import type { GenerationOptionsSchema, Message } from '../gen/understudy/v1/chat_pb.ts';
import { ChatRequestSchema, StreamChatRequestSchema } from '../gen/understudy/v1/llm_pb.ts';
import type { ChatRequest } from '../gen/understudy/v1/llm_pb.ts';
import { frame } from './frames.ts';

/** How many deltas a stream has. */
export const DELTAS = 100;

/** A word in the prompt by which the fake upstream and the floors know what to answer. */
const MARKS = { chat: 'ask-chat', open: 'ask-open', apart: 'ask-apart', joined: 'ask-joined' } as const;

/** What is measured: one kind of call. */
export type ScenarioName = keyof typeof MARKS;

/** One kind of call as clients make it. */
export interface Scenario {
  readonly name: ScenarioName;
  /** Its heading in the report. */
  readonly title: string;
  /** The path of the gRPC method. */
  readonly path: string;
  /** The request as one gRPC frame. */
  readonly body: Buffer;
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
  return next === 0x61 ? 'apart' : 'joined';
}

/** Everything that is measured, in the order of the report. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'chat',
    title: 'Chat',
    path: '/understudy.v1.LlmService/Chat',
    body: chatBody('chat', { maxTokens: CHAT_MOST_TOKENS }),
    messages: { least: 1, most: 1 },
  },
  {
    name: 'open',
    title: `Chat without max_tokens, asked for as a stream of ${CHAT_PIECES.length} deltas`,
    path: '/understudy.v1.LlmService/Chat',
    body: chatBody('open', {}),
    messages: { least: 1, most: 1 },
  },
  {
    name: 'apart',
    title: `StreamChat, ${DELTAS} deltas, none joined`,
    path: '/understudy.v1.LlmService/StreamChat',
    body: frame(toBinary(StreamChatRequestSchema, create(StreamChatRequestSchema, { messages: prompt('apart') }))),
    // started, deltas, one part_finished for each of the two parts, finished
    messages: { least: DELTAS + 4, most: DELTAS + 4 },
  },
  {
    name: 'joined',
    title: `StreamChat, ${DELTAS} deltas in one burst, which the gateway may join`,
    path: '/understudy.v1.LlmService/StreamChat',
    body: frame(toBinary(StreamChatRequestSchema, create(StreamChatRequestSchema, { messages: prompt('joined') }))),
    messages: { least: 4, most: DELTAS + 3 },
  },
];

function chatBody(name: ScenarioName, options: MessageInitShape<typeof GenerationOptionsSchema>): Buffer {
  return frame(toBinary(ChatRequestSchema, create(ChatRequestSchema, { messages: prompt(name), options })));
}

/** A request of a far client: for the answer of Chat or the long one, with so many characters in its prompt. */
export function farPrompt(answer: 'chat' | 'long', characters: number): ChatRequest {
  const text = `${answer === 'chat' ? MARKS.chat : LONG_MARK}: ${'word '.repeat(characters / 5)}`;
  return create(ChatRequestSchema, {
    messages: [create(MessageSchema, { role: Role.USER, content: [{ part: { case: 'text', value: text } }] })],
    ...(answer === 'chat' && { maxTokens: 100 }),
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
