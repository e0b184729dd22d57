import { create } from '@bufbuild/protobuf';
import { afterAll, describe, expect, it } from 'vitest';
import { Role } from '../../../gen/understudy/v1/chat_pb.ts';
import { ChatRequestSchema } from '../../../gen/understudy/v1/llm_pb.ts';
import { anthropic } from '../../../src/providers/anthropic/messages-api.ts';
import type { JsonRecord } from '../../../src/providers/shared/json/value.ts';
import { asRecord, parseJson, recordsOf, textOf } from '../../../src/providers/shared/json/value.ts';
import { assembleMessage } from '../../../src/server/answers/assembled-answer.ts';
import { canonicalBody, Inexpressible, requestOfAnthropic } from '../../support/anthropic-requests.ts';
import { deltas, say, wire } from '../../support/chat-samples.ts';
import type { ProviderRecording } from '../../support/recordings.ts';
import { loadRecordings } from '../../support/recordings.ts';

const recordings = loadRecordings().filter(({ dialect }) => dialect === 'anthropic');
const requests = recordings.flatMap(({ id, request, status }) => {
  const body = asRecord(request);
  return body === undefined || status === 400 ? [] : [{ id, body }];
});
const COMPARED = 'model max_tokens messages system tools tool_choice stop_sequences output_config'.split(' ');
/** What no field of the contract asks for: options of the caller's own, and how much to think. */
const LEFT_OUT = ['temperature', 'top_p', 'top_k', 'thinking', 'stream', 'container', 'cache_control', 'output_format'];
const TARGET = { name: 'claude', provider: 'anthropic', stream: true } as const;
const left = new Map<string, string>();

describe.skipIf(recordings.length === 0)('recorded requests (skipped without ../shared/fixtures)', () => {
  afterAll(() => {
    const reasons = [...left].map(([id, reason]) => `${id}: not expressed in the contract: ${reason}`);
    process.stdout.write(
      `Anthropic: ${requests.length - left.size} of ${requests.length} requests\n${reasons.join('\n')}\n`,
    );
  });

  it.each(requests)('$id is written as it was sent', ({ id, body }) => {
    const chat = expressed(id, body);
    if (chat === undefined) return;
    const written = wire(anthropic.request(chat, { ...TARGET, model: textOf(body['model']) })).body;
    const { stream: _stream, thinking: _thinking, ...compared } = written;
    expect(compared).toEqual(canonicalBody(body));
    expect(Object.keys(body).filter((field) => ![...COMPARED, ...LEFT_OUT].includes(field))).toEqual([]);
  });
});

function expressed(id: string, body: JsonRecord) {
  try {
    return requestOfAnthropic(body, TARGET.name);
  } catch (error) {
    if (!(error instanceof Inexpressible)) throw error;
    left.set(id, error.message);
    return undefined;
  }
}

/** The blocks that a caller has to return, as the answer has them. */
function ownBlocks(content: unknown): readonly JsonRecord[] {
  return recordsOf(content).flatMap((block) => {
    switch (block['type']) {
      case 'text':
        return textOf(block['text']).trim() === '' ? [] : [{ type: 'text', text: block['text'] }];
      case 'thinking':
        return [{ type: 'thinking', thinking: block['thinking'], signature: block['signature'] }];
      case 'redacted_thinking':
        return [block];
      case 'tool_use':
        return [{ type: 'tool_use', id: block['id'], name: block['name'], input: block['input'] }];
      default:
        return [];
    }
  });
}

/** The content of an answer; of a stream it is put together from its events, by rules of its own. */
function recordedContent({ kind, body }: ProviderRecording): unknown {
  if (kind === 'json') return asRecord(parseJson(body))?.['content'];
  const blocks: Record<string, unknown>[] = [];
  const inputs: string[] = [];
  for (const line of body.split('\n')) {
    const event = line.startsWith('data:') ? asRecord(parseJson(line.slice(5))) : undefined;
    const index = Number(event?.['index']);
    if (event?.['type'] === 'content_block_start') blocks[index] = { ...asRecord(event['content_block']) };
    const delta = asRecord(event?.['delta']);
    const block = blocks[index];
    if (event?.['type'] !== 'content_block_delta' || delta === undefined || block === undefined) continue;
    for (const field of ['text', 'thinking', 'signature']) {
      if (delta[field] !== undefined) block[field] = textOf(block[field]) + textOf(delta[field]);
    }
    inputs[index] = (inputs[index] ?? '') + textOf(delta['partial_json']);
    if (inputs[index] !== '') block['input'] = parseJson(inputs[index] ?? '');
  }
  return blocks;
}

const answers = recordings.filter(({ kind, expect: { done } }) => kind === 'json' || (kind === 'sse' && done === true));

describe.skipIf(recordings.length === 0)('recorded answers, sent back as the next turn', () => {
  it.each(answers)('$id comes back block by block, unchanged', (recording) => {
    const message = assembleMessage(deltas(readEvents(recording)), TARGET.name);
    const messages = [say(Role.USER, 'Hi'), message, say(Role.USER, 'Go on')];
    const model = recording.expect.model ?? 'claude-sonnet-5-5';
    const { body, warnings } = wire(anthropic.request(create(ChatRequestSchema, { messages }), { ...TARGET, model }));
    const turn = recordsOf(body['messages']).find(({ role }) => role === 'assistant');
    expect(turn?.['content'] ?? []).toEqual(ownBlocks(recordedContent(recording)));
    expect(warnings).toEqual([]);
  });

  it('are enough, and of every kind', () => {
    const types = answers.flatMap((recording) => ownBlocks(recordedContent(recording)).map(({ type }) => type));
    expect(answers.length).toBeGreaterThan(60);
    expect(new Set(types)).toEqual(new Set(['text', 'thinking', 'redacted_thinking', 'tool_use']));
  });
});

function readEvents({ kind, body }: ProviderRecording) {
  if (kind === 'json') return anthropic.response(parseJson(body));
  const read = anthropic.events();
  return body
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .flatMap((line) => read({ name: '', data: line.slice(5) }));
}
