import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StreamChatResponse } from '../../gen/understudy/v1/llm_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { FinishReason } from '../../gen/understudy/v1/chat_pb.ts';
import { WarningCode } from '../../gen/understudy/v1/routing_pb.ts';
import type { MessageInit } from '../support/chat-parts.ts';
import { call, reasoning, result, results, tool, user } from '../support/chat-parts.ts';
import type { RunningGateway } from '../support/gateway-doors.ts';
import { startGateway } from '../support/gateway-doors.ts';
import { rpcError } from '../support/rpc-error.ts';
import type { StreamedMessage } from '../support/streamed-message.ts';
import { streamedMessage } from '../support/streamed-message.ts';

const SCHEMA = '{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}';
const tools = [tool('weather', SCHEMA, { description: 'Tells the weather.' }), tool('clock')];
const MODEL = 'mock-reasoning-tools';

let gateway: RunningGateway;

beforeAll(async () => {
  gateway = await startGateway({
    targets: [
      { name: 'claude', provider: 'anthropic', model: MODEL, mock: true },
      { name: 'claude-two', provider: 'anthropic', model: MODEL, mock: true },
      { name: 'local', provider: 'ollama', model: MODEL, mock: true },
    ],
    retry: { max_repeats: 0 },
  });
});

afterAll(() => gateway.close());

/** Asks for one turn; the mock refuses what the provider would, so that an answer says that all came back as it must. */
async function turn(target: string, messages: readonly MessageInit[]) {
  const request = { messages: [...messages], tools, routing: { targets: [target] } };
  const events = await gateway.client.stream(LlmService.method.streamChat, request).done;
  const last = events.at(-1)?.event;
  if (last?.case !== 'finished') throw new Error('a good stream ends with `finished`');
  return { answer: streamedMessage(events), finished: last.value, kinds: kindsOf(events) };
}

function kindsOf(events: readonly StreamChatResponse[]): readonly string[] {
  return streamedMessage(events).content.map(({ part }) => part?.case ?? '');
}

/** Answers every call of a message. */
function resultsOf({ content }: StreamedMessage): MessageInit {
  return results(
    ...content.flatMap(({ part }) => (part?.case === 'toolCall' ? [result(part.value.id ?? '', ['fine'])] : [])),
  );
}

const CALLED = ['reasoning', 'text', 'toolCall', 'toolCall'];

describe('a conversation with reasoning and tools, over StreamChat', () => {
  it.each(['claude', 'local'])('goes on at %s turn after turn, with all of its own sent back', async (target) => {
    const history: MessageInit[] = [user('What is the weather in Oslo?')];
    for (const question of ['And in Bergen?', 'And in Trondheim?']) {
      const called = await turn(target, history);
      expect(called.kinds).toEqual(CALLED);
      expect(called.finished).toMatchObject({ finishReason: FinishReason.TOOL_CALLS, warnings: [], target });
      history.push(called.answer, resultsOf(called.answer));
      const told = await turn(target, history);
      expect(told.kinds).toEqual(['reasoning', 'text']);
      expect(told.finished).toMatchObject({ finishReason: FinishReason.STOP, warnings: [] });
      history.push(told.answer, user(question));
    }
  });

  it('survives a switch of the provider in the middle of a turn, there and back, and says what was dropped', async () => {
    const history: MessageInit[] = [user('What is the weather in Oslo?')];
    const called = await turn('claude', history);
    history.push(called.answer, resultsOf(called.answer));
    const elsewhere = await turn('local', history);
    expect(elsewhere.kinds).toEqual(['reasoning', 'text']);
    expect(elsewhere.finished.warnings).toMatchObject([
      {
        code: WarningCode.PROVIDER_STATE_DROPPED,
        field: 'messages[1].content[0].provider_state',
        target: 'local',
      },
    ]);
    history.push(elsewhere.answer, user('And in Bergen?'));
    const back = await turn('claude', history);
    expect(back.kinds).toEqual(CALLED);
    expect(back.finished.warnings.map(({ field }) => field)).toEqual(['messages[3].content[0].provider_state']);
    history.push(back.answer, resultsOf(back.answer));
    const otherAccount = await turn('claude-two', history);
    expect(otherAccount.finished.warnings.map(({ field }) => field)).toEqual([
      'messages[1].content[0].provider_state',
      'messages[3].content[0].provider_state',
      'messages[5].content[0].provider_state',
    ]);
  });

  it('is the same in one piece, by Chat', async () => {
    const { message, finishReason } = await gateway.client.call(LlmService.method.chat, {
      messages: [user('Hi')],
      tools,
      routing: { targets: ['local'] },
      options: { maxTokens: 200 },
    });
    expect(message?.content.map(({ part }) => part.case)).toEqual(CALLED);
    expect(finishReason).toBe(FinishReason.TOOL_CALLS);
  });

  it('is refused where reasoning was changed, or arguments are no object, with the field that is wrong', async () => {
    const first = await turn('claude', [user('Hi')]);
    const [thought, ...rest] = first.answer.content;
    const changed = { ...first.answer, content: [{ ...thought, ...reasoning('Something else.') }, ...rest] };
    const next = turn('claude', [user('Hi'), changed, resultsOf(first.answer)]);
    await expect(next).rejects.toMatchObject({ reason: 'INVALID_REQUEST' });
    const broken = { ...first.answer, content: [call('a', 'clock', '{"')] };
    const wrong = await rpcError(turn('claude', [user('Hi'), broken, results(result('a', ['fine']))]));
    expect(wrong).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST' });
    expect(wrong.fields).toEqual(['messages[1].content[0].tool_call.arguments_json']);
  });
});
