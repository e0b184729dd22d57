import { createServer } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';

import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { createParser } from 'eventsource-parser';
import { Pool } from 'undici';
import type { Dispatcher } from 'undici';

import { FinishReason, Role } from '../../gen/understudy/v1/chat_pb.ts';
import type { Message } from '../../gen/understudy/v1/chat_pb.ts';
import {
  ChatRequestSchema,
  ChatResponseSchema,
  StreamChatRequestSchema,
  StreamChatResponseSchema,
} from '../../gen/understudy/v1/llm_pb.ts';
import { CostSource } from '../../gen/understudy/v1/usage_pb.ts';
import { frame, unframe } from '../calls/frames.ts';

/**
 * What an engineer would write without an engine: requests and answers decoded and encoded, one `undici.request` for each call, and a
 * price. No fallback, no limits, no deadlines, no metrics, no log.
 */

const RESPONSE_HEAD = { ':status': 200, 'content-type': 'application/grpc+proto' };
const HEADERS = { 'content-type': 'application/json', authorization: 'Bearer bench' };
const MODEL = { provider: 'openai', target: 'bench', model: 'bench-model' };

const [port, origin = ''] = process.argv.slice(2);
const pool = new Pool(origin, { connections: 1024 });

/** What is read of a provider's answer, whole or an event of a stream. */
interface Completion {
  readonly choices: readonly {
    readonly message?: Said;
    readonly delta?: Said;
    readonly finish_reason: string | null;
  }[];
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null;
}

type Event = NonNullable<MessageInitShape<typeof StreamChatResponseSchema>['event']>;

interface Said {
  readonly content?: string | null;
  readonly reasoning_content?: string;
}

function parseCompletion(text: string): Completion {
  return JSON.parse(text) as Completion;
}

async function ask(
  messages: readonly Message[],
  isStream: boolean,
  mostTokens?: number,
): Promise<Dispatcher.ResponseData> {
  const body = JSON.stringify({
    model: MODEL.model,
    messages: messages.map(({ role, content }) => ({
      role: role === Role.SYSTEM ? 'system' : 'user',
      content: content.map(({ part }) => (part.case === 'text' ? part.value : '')).join(''),
    })),
    ...(mostTokens !== undefined && { max_tokens: mostTokens }),
    ...(isStream && { stream: true, stream_options: { include_usage: true } }),
  });
  const answer = await pool.request({ path: '/v1/chat/completions', method: 'POST', headers: HEADERS, body });
  if (answer.statusCode !== 200) throw new Error('the provider refuses');
  return answer;
}

function endOf(usage: Completion['usage']) {
  const [inputTokens, outputTokens] = [usage?.prompt_tokens ?? 0, usage?.completion_tokens ?? 0];
  const nanoUsd = inputTokens * 2_000 + outputTokens * 10_000;
  return {
    ...MODEL,
    tokensUsed: inputTokens + outputTokens,
    costUsd: nanoUsd / 1e9,
    finishReason: FinishReason.STOP,
    usage: { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens },
    cost: { nanoUsd: BigInt(nanoUsd), source: CostSource.EXACT },
    attempts: [{ ...MODEL, number: 1, httpStatus: 200 }],
  };
}

async function chat(message: Buffer): Promise<Buffer> {
  const { messages, options } = fromBinary(ChatRequestSchema, message);
  const answer = await ask(messages, options?.maxTokens === undefined, options?.maxTokens);
  let text = '';
  let usage: Completion['usage'];
  const read = ({ choices: [choice], ...said }: Completion): void => {
    text += choice?.message?.content ?? choice?.delta?.content ?? '';
    usage ??= said.usage;
  };
  if (options?.maxTokens === undefined) await readEvents(answer, read);
  else read(parseCompletion(await answer.body.text()));
  const said = { role: Role.ASSISTANT, content: [{ part: { case: 'text', value: text } as const }] };
  return frame(toBinary(ChatResponseSchema, create(ChatResponseSchema, { ...endOf(usage), text, message: said })));
}

async function readEvents({ body }: Dispatcher.ResponseData, read: (event: Completion) => void): Promise<void> {
  const parser = createParser({
    onEvent: ({ data }) => {
      if (data !== '[DONE]') read(parseCompletion(data));
    },
  });
  body.setEncoding('utf8');
  for await (const chunk of body) parser.feed(String(chunk));
}

async function streamChat(message: Buffer, stream: ServerHttp2Stream): Promise<void> {
  const { messages } = fromBinary(StreamChatRequestSchema, message);
  const answer = await ask(messages, true);
  let sequence = 0n;
  let usage: Completion['usage'];
  const parts: string[] = [];
  const send = (event: Event): void => {
    sequence += 1n;
    stream.write(frame(toBinary(StreamChatResponseSchema, create(StreamChatResponseSchema, { sequence, event }))));
  };
  const tell = (kind: 'textDelta' | 'reasoningDelta', text: string): void => {
    if (!parts.includes(kind)) parts.push(kind);
    send({ case: kind, value: { partIndex: parts.indexOf(kind), text } });
  };
  send({ case: 'started', value: { ...MODEL, attempt: 1 } });
  await readEvents(answer, (event) => {
    const delta = event.choices[0]?.delta;
    if (delta?.content) tell('textDelta', delta.content);
    if (delta?.reasoning_content !== undefined) tell('reasoningDelta', delta.reasoning_content);
    usage ??= event.usage;
  });
  for (const partIndex of parts.keys()) send({ case: 'partFinished', value: { partIndex } });
  send({ case: 'finished', value: endOf(usage) });
}

async function answer(stream: ServerHttp2Stream, path: string, request: Buffer): Promise<void> {
  const [message = request] = unframe(request);
  stream.respond(RESPONSE_HEAD, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  if (path.endsWith('/StreamChat')) await streamChat(message, stream);
  else stream.write(await chat(message));
  stream.end();
}

const server = createServer();
server.on('stream', (stream: ServerHttp2Stream, headers) => {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => {
    answer(stream, headers[':path'] ?? '', Buffer.concat(chunks)).catch(() => stream.close());
  });
  stream.on('error', () => stream.destroy());
});
server.listen(Number(port), '127.0.0.1');
