import { clone, create } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { Message, Part } from '../../../gen/understudy/v1/chat_pb.ts';
import { GenerationOptionsSchema, MessageSchema, ReasoningEffort, Role } from '../../../gen/understudy/v1/chat_pb.ts';
import { ChatRequestSchema } from '../../../gen/understudy/v1/llm_pb.ts';
import type { ChatRequest } from '../../../gen/understudy/v1/llm_pb.ts';
import { streamsUpstream } from '../../../src/engine/route/upstream-mode.ts';
import { claudeModel } from '../../../src/providers/models/claude-models.ts';
import { asRecord } from '../../../src/providers/shared/json/value.ts';
import { chatRequestsOf } from '../../support/chat-arbitraries.ts';
import { say } from '../../support/chat-samples.ts';
import type { ProviderApi } from '../../support/every-adapter.ts';
import { at, EVERY_ADAPTER } from '../../support/every-adapter.ts';
import { firstDifference, promptPieces } from '../../support/prompt-prefix.ts';
import { tellingModels } from '../../support/telling-models.ts';

const SEED = 20_261_129;
/** So many conversations are drawn for each dialect. */
const CONVERSATIONS = 80;
const MOST_ANSWERS = 6;
const DATED = 'https://example.openai.azure.com/openai?api-version=2024-10-21';

/** Which messages of each turn are marked for the cache: the marks go on with the conversation. */
const MARKS = ['none', 'the first and the last', 'the last', 'the last two'] as const;

/** What is drawn besides a request. */
interface Course {
  readonly chat: ChatRequest;
  readonly marks: (typeof MARKS)[number];
  /** Which reasoning was made by the target that is asked, by its place; that of another target is left out. */
  readonly own: readonly boolean[];
  /** Behind which messages of the user instructions stand. */
  readonly instructed: readonly boolean[];
  /** Whether the caller of the first turn reads a stream; those of the others take turns. */
  readonly streams: boolean;
  /** Whether the provider itself answers. */
  readonly ownHost: boolean;
}

const courses: fc.Arbitrary<Course> = fc.record({
  chat: chatRequestsOf(MOST_ANSWERS),
  marks: fc.constantFrom(...MARKS),
  own: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
  instructed: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
  streams: fc.boolean(),
  ownHost: fc.boolean(),
});

const APIS: readonly ProviderApi[] = [
  ...EVERY_ADAPTER,
  at('azure-openai', 'chat_completions', DATED),
  at('azure-openai', 'responses', DATED),
];

const COURSES = fc.sample(courses, { seed: SEED, numRuns: CONVERSATIONS });

describe.each(APIS)('what $provider reads at $path $baseUrl', (api) => {
  test.each(tellingModels(api.provider))('%s: begins in every turn with all of the turn before', (model) => {
    let compared = 0;
    for (const course of COURSES) {
      const bodies = turnsOf(course, api, model).flatMap((chat, turn) => bodyOf(api, model, course, chat, turn));
      for (const [turn, before] of bodies.slice(0, -1).entries()) {
        const difference = firstDifference(
          promptPieces(before, api.path),
          promptPieces(bodies[turn + 1] ?? {}, api.path),
        );
        expect(difference, JSON.stringify(bodies[turn + 1])).toBeUndefined();
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(CONVERSATIONS / 10);
  });

  test.each(tellingModels(api.provider))('%s: is the same whenever and however it is asked', (model) => {
    for (const course of COURSES) {
      const chat = turnsOf(course, api, model).at(-1);
      if (chat === undefined) continue;
      // With a limit of the caller's own, the length of the answer does not depend on how it comes.
      chat.options = clone(GenerationOptionsSchema, chat.options ?? create(GenerationOptionsSchema));
      chat.options.maxTokens ??= 1_000;
      const [first, ...others] = [true, false, true].flatMap((stream) => {
        const wire = api.adapter.request(chat, { ...targetOf(api, model, course), stream });
        return 'class' in wire ? [] : [promptPieces(wire.body, api.path)];
      });
      for (const other of others) expect(other).toEqual(first);
    }
  });
});

function targetOf({ provider }: ProviderApi, model: string, { ownHost }: Course) {
  return { name: 'main', provider, model, ownHost };
}

/** Returns the body of a turn; none where the model does not take the request. */
function bodyOf(api: ProviderApi, model: string, course: Course, chat: ChatRequest, turn: number) {
  const callerStreams = course.streams === (turn % 2 === 0);
  const stream = streamsUpstream(callerStreams, chat.options?.maxTokens, 'AUTO');
  const wire = api.adapter.request(chat, { ...targetOf(api, model, course), stream });
  return 'class' in wire ? [] : [asRecord(wire.body) ?? {}];
}

/** Returns the requests that a conversation is made of: each ends where the assistant answers. */
function turnsOf(course: Course, api: ProviderApi, model: string): readonly ChatRequest[] {
  const whole = clone(ChatRequestSchema, course.chat);
  // An answer of which nothing is sent back, such as the reasoning of another model alone, is no turn.
  whole.messages = whole.messages.filter(({ role, content }) => role !== Role.ASSISTANT || content.some(isSent));
  const isClaude = api.provider === 'anthropic';
  const claude = claudeModel(model);
  for (const [index, part] of whole.messages.flatMap(({ content }) => content).entries()) own(part, course, index, api);
  // A Claude model that takes instructions at the beginning alone is told later ones there, with a warning.
  if (!isClaude || claude.systemBetweenTurns) instruct(whole, course);
  // One that thinks by a budget does not think where it goes on with a turn that was begun without.
  if (isClaude && claude.thinking === 'budget' && whole.options !== undefined)
    whole.options.reasoningEffort = ReasoningEffort.UNSPECIFIED;
  const ends = whole.messages.flatMap(({ role }, index) => (role === Role.ASSISTANT && index > 0 ? [index] : []));
  return [...ends, whole.messages.length].map((end) => {
    const turn = clone(ChatRequestSchema, whole);
    turn.messages.length = end;
    moveMarks(turn, course.marks);
    return turn;
  });
}

function isSent({ part }: Part): boolean {
  return part.case !== 'reasoning';
}

/** The state of a reasoning, as the target that is asked has made it. */
function own(part: Part, { own: drawn }: Course, index: number, { path }: ProviderApi): void {
  if (part.part.case !== 'reasoning' || part.providerState === undefined || drawn[index % drawn.length] !== true)
    return;
  const state = path.endsWith('/messages')
    ? { type: 'thinking', signature: `signature ${index}` }
    : { type: 'reasoning', id: `rs_${index}`, summary: [], encrypted_content: `sealed ${index}` };
  part.providerState.target = 'main';
  part.providerState.data = new TextEncoder().encode(JSON.stringify(state));
}

function instruct({ messages }: ChatRequest, { instructed }: Course): void {
  for (const [index, message] of messages.entries()) {
    if (message.role !== Role.USER || instructed[index % instructed.length] !== true) continue;
    if (messages[index + 1]?.role === Role.USER) continue;
    messages.splice(index + 1, 0, create(MessageSchema, say(Role.SYSTEM, `From now on: ${index}.`)));
  }
}

function moveMarks({ messages }: ChatRequest, marks: Course['marks']): void {
  const last = messages.at(-1);
  const marked: readonly (Message | undefined)[] = {
    none: [],
    'the first and the last': [messages[0], last],
    'the last': [last],
    'the last two': messages.slice(-2),
  }[marks];
  for (const message of messages) {
    for (const part of message.content) part.cacheBreakpoint = false;
    const end = message.content.at(-1);
    if (end !== undefined) end.cacheBreakpoint = marked.includes(message);
  }
}
