import { describe, expect, it } from 'vitest';
import { Role } from '../../../gen/understudy/v1/chat_pb.ts';
import type { JsonRecord } from '../../../src/providers/shared/json/value.ts';
import { asRecord, recordsOf, textOf } from '../../../src/providers/shared/json/value.ts';
import { refusal, wire } from '../../support/chat-samples.ts';
import { speakerOf } from '../../support/every-adapter.ts';
import { chatFromBody } from '../../support/openai-requests.ts';
import { loadRecordings } from '../../support/recordings.ts';

/** Recorded requests of others, read back into the contract, with the adapter that has to write them again. */
const subjects = loadRecordings().flatMap(({ id, provider, dialect, request }) => {
  const speaker = speakerOf(provider, dialect);
  if (speaker === undefined) return [];
  const body = asRecord(request);
  const chat = chatFromBody(request, 'main');
  if (body === undefined || chat === undefined || chat.messages.at(-1)?.role === Role.ASSISTANT) return [];
  return [{ id, body, chat, provider: speaker.provider, adapter: speaker.adapter }];
});

/** Requests that the API at hand cannot take from every model, and what they are refused for. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  // The API refused it too.
  ['openai-err400-test-structured-output-model-91cfec', 'options.response_format'],
  [
    'azure-openai-json-1-fast-non-reasoning-preserves-strings-returned-from-tools-895a1b',
    'messages[2].content[0].tool_result.content[1].image',
  ],
  [
    'azure-openai-json-re-kimi-k2-5-preserves-content-objects-returned-from-tools-7d4555',
    'messages[2].content[0].tool_result.content[1].image',
  ],
]);

describe.skipIf(subjects.length === 0)('requests that others sent (skipped without ../shared/fixtures)', () => {
  it.each(subjects)('are written alike: $id', ({ id, provider, adapter, body, chat }) => {
    const target = { name: 'main', provider, model: textOf(body['model']), stream: false };
    const written = adapter.request(chat, target);
    const field = REFUSED.get(id);
    if (field === undefined) expect(canonical(wire(written).body)).toEqual(canonical(body));
    else expect(refusal(written)).toMatchObject({ class: 'capability', field });
  });

  it('are many', () => {
    expect(subjects.length).toBeGreaterThan(250);
  });
});

/** Messages, tools and format alone, with differences evened out that mean nothing to the provider. */
function canonical(body: JsonRecord): JsonRecord {
  const { messages, input, instructions, tools, tool_choice: choice, response_format: format, text } = body;
  const said = typeof input === 'string' ? [{ role: 'user', content: input }] : recordsOf(messages ?? input);
  const first = { role: 'system', content: textOf(instructions) };
  return {
    messages: [first, ...said].flatMap(item),
    tools: recordsOf(tools).map(tool),
    choice: choice === 'auto' || choice === null ? undefined : choice,
    parallel: body['parallel_tool_calls'],
    format: plainFormat(asRecord(format) ?? asRecord(asRecord(text)?.['format'])),
  };
}

function plainFormat(format: JsonRecord | undefined): unknown {
  if (format === undefined || format['type'] === 'text') return undefined;
  const { type, json_schema: nested, ...flat } = format;
  if (type === 'json_object') return type;
  const { name, schema, strict } = asRecord(nested) ?? flat;
  return { name, schema, strict: strict ?? false };
}

function item(value: JsonRecord): readonly JsonRecord[] {
  const { role, content, tool_calls: calls, call_id: callId, output, summary } = value;
  if (value['type'] === 'reasoning') return [{ summary, encrypted: value['encrypted_content'] }];
  if (value['type'] === 'function_call') return [{ callId, name: value['name'], arguments: value['arguments'] }];
  if (value['type'] === 'function_call_output') return [{ callId, output: parts(output) }];
  const named = role === 'developer' ? 'system' : role;
  const kept = { content: parts(content), tool_call_id: value['tool_call_id'] };
  // An empty message says nothing.
  if (role !== 'tool' && calls === undefined && kept.content.length === 0) return [];
  return [{ role: named, ...kept, calls: recordsOf(calls).map(({ id, function: called }) => ({ id, called })) }];
}

function parts(content: unknown): readonly unknown[] {
  if (typeof content === 'string') return content === '' ? [] : [content];
  return recordsOf(content).map(({ type, detail: _detail, ...part }) => {
    const isPlain = type === 'text' || type === 'input_text' || type === 'output_text';
    if (isPlain && !('prompt_cache_breakpoint' in part)) return part['text'];
    const url = asRecord(part['image_url'])?.['url'];
    return elided(url === undefined ? part : { image_url: url });
  });
}

/** Long bytes are elided in the recordings. */
function elided(part: JsonRecord): unknown {
  return JSON.parse(JSON.stringify(part).replaceAll(/(base64,[^"]{0,100})[^"]*/g, '$1'));
}

function tool(value: JsonRecord): unknown {
  const { name, description, parameters, strict } = asRecord(value['function']) ?? value;
  return { name, description: description ?? '', parameters, strict: strict ?? false };
}
