import type { MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import type { MessageSchema } from '../../../gen/understudy/v1/chat_pb.ts';
import { Role } from '../../../gen/understudy/v1/chat_pb.ts';
import type { ProviderName } from '../../../src/core/provider.ts';
import type { Adapter, AdapterEvent } from '../../../src/providers/port/adapter.ts';
import { assembleMessage } from '../../../src/server/answers/assembled-answer.ts';
import type { JsonRecord } from '../../../src/providers/shared/json/value.ts';
import { asRecord, parseJson, recordsOf, textOf } from '../../../src/providers/shared/json/value.ts';
import { createFraming } from '../../../src/upstream/exchange/framing.ts';
import { deltas, chatOf, say, wire } from '../../support/chat-samples.ts';
import { speakerOf } from '../../support/every-adapter.ts';
import type { ProviderRecording } from '../../support/recordings.ts';
import { loadRecordings } from '../../support/recordings.ts';

type MessageInit = MessageInitShape<typeof MessageSchema>;

const subjects = loadRecordings().flatMap((recording) => {
  const speaker = speakerOf(recording.provider, recording.dialect);
  const { kind, expect: expected, id } = recording;
  const isWhole = kind === 'json' || (kind === 'sse' && expected.done === true);
  return speaker === undefined || !isWhole || expected.error !== undefined ? [] : [{ id, recording, ...speaker }];
});

describe.skipIf(subjects.length === 0)('the turn after a recorded answer (skipped without ../shared/fixtures)', () => {
  const chats = subjects.filter(({ api }) => api === 'chat_completions');
  const responses = subjects.filter(({ api }) => api === 'responses');

  it.each(chats)('brings words and calls back as they came: $id', ({ recording, provider, adapter }) => {
    const { expect: expected } = recording;
    const next = nextTurn(adapter, recording, provider);
    const words = [expected.text, expected.refusal].filter((text) => text !== '');
    const [, said, ...results] = recordsOf(next['messages']);
    if (words.length === 0 && expected.tool_calls.length === 0) return;
    expect(said?.['content']).toEqual(words.length === 0 ? null : words.join(''));
    expect(recordsOf(said?.['tool_calls'])).toEqual(
      expected.tool_calls.map(({ id, name, arguments: text }) => ({
        id,
        type: 'function',
        function: { name, arguments: text === '' ? '{}' : text },
      })),
    );
    const isThere = thinksAgain(provider, expected.model) || goesOnThinking(provider, expected);
    expect(said?.['reasoning_content']).toBe(isThere ? expected.reasoning : undefined);
    const answered = results.filter(({ role }) => role === 'tool').map((result) => result['tool_call_id']);
    expect(answered).toEqual(expected.tool_calls.map(({ id }) => id));
  });

  it.each(responses)('brings the items of an answer back as they came: $id', ({ recording, provider, adapter }) => {
    const next = nextTurn(adapter, recording, provider);
    const sent = recordsOf(next['input']).slice(1);
    const items = outputOf(recording).flatMap(itemOf);
    expect(sent.slice(0, items.length)).toEqual(items);
  });

  it('has calls, reasoning and phases among its answers', () => {
    const outputs = responses.flatMap(({ recording }) => outputOf(recording)).flatMap(itemOf);
    expect(outputs.filter(({ type }) => type === 'reasoning').length).toBeGreaterThan(15);
    expect(outputs.filter(({ type }) => type === 'function_call').length).toBeGreaterThan(10);
    expect(outputs.filter(({ phase }) => phase !== undefined).length).toBeGreaterThan(3);
    const reasoned = chats.filter(
      ({ recording: { expect: read } }) => read.reasoning !== '' && read.tool_calls.length > 0,
    );
    expect(reasoned.length).toBeGreaterThan(0);
  });
});

/** Sends an answer back with a result for each call, or with another question where there was none. */
function nextTurn(adapter: Adapter, recording: ProviderRecording, provider: ProviderName): JsonRecord {
  const { model, tool_calls: calls } = recording.expect;
  const said = assembleMessage(deltas(eventsOf(adapter, recording)), 'main');
  const results = calls.map(({ id }): MessageInit => {
    const value = { toolCallId: id ?? '', content: say(Role.USER, 'Done.').content ?? [] };
    return { role: Role.TOOL, content: [{ part: { case: 'toolResult', value } }] };
  });
  const next = results.length === 0 ? [say(Role.USER, 'And then?')] : results;
  const target = { name: 'main', provider, model: model ?? '', stream: false };
  const { body, warnings } = wire(adapter.request(chatOf({}, [say(Role.USER, 'Hi'), said, ...next]), target));
  expect(warnings).toEqual([]);
  return body;
}

function eventsOf(adapter: Adapter, { kind, body }: ProviderRecording): readonly AdapterEvent[] {
  if (kind === 'json') return adapter.response(JSON.parse(body));
  const framing = createFraming('sse');
  const read = adapter.events();
  return [...framing.push(new TextEncoder().encode(body)), ...framing.end()].flatMap(read);
}

/** DeepSeek wants its reasoning back with every message, and not from the model that does not think. */
function thinksAgain(provider: string, model: string | null): boolean {
  return provider === 'deepseek' && model !== 'deepseek-chat';
}

/** Models of other makers, wherever they run, go on with what they thought where they called a tool. */
function goesOnThinking(provider: string, { reasoning, tool_calls: calls }: ProviderRecording['expect']): boolean {
  return (provider === 'openai' || provider === 'azure-openai') && reasoning !== '' && calls.length > 0;
}

/** The output items of a response, as the provider wrote them; in a stream the encrypted copies differ from event to event. */
function outputOf({ kind, body }: ProviderRecording): readonly JsonRecord[] {
  if (kind === 'json') return recordsOf(asRecord(parseJson(body))?.['output']);
  const events = createFraming('sse').push(new TextEncoder().encode(body));
  const ends = events.map(({ data }) => asRecord(parseJson(data)) ?? {});
  return ends.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => asRecord(item) ?? {});
}

/** What has to come back of an output item: all of it, but ids that mean nothing where nothing is stored. */
function itemOf(item: JsonRecord): readonly JsonRecord[] {
  const { type, call_id: callId, name, arguments: text, phase } = item;
  if (type === 'function_call') return [{ type, call_id: callId, name, arguments: text === '' ? '{}' : text }];
  if (type === 'reasoning') {
    const { summary, encrypted_content: encrypted } = item;
    return textOf(encrypted) === '' ? [] : [{ type, summary, encrypted_content: encrypted }];
  }
  if (type !== 'message') return [];
  const content = recordsOf(item['content']).map((part) => textOf(part['text'] ?? part['refusal']));
  if (content.join('') === '') return [];
  return [{ role: 'assistant', content: content.join(''), ...(typeof phase === 'string' ? { phase } : {}) }];
}
