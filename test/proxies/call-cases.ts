import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import type { StreamChatResponse } from '../../gen/understudy/v1/llm_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { valueAt } from '../../src/config/port/problem.ts';
import { say } from '../support/chat-samples.ts';
import { RpcError, rpcError } from '../support/rpc-error.ts';
import { CANCEL_WITHIN_MS, insist, WORD_WITHIN_MS } from './cases.ts';
import type { ProxyCaseName } from './cases.ts';
import type { ProxyStage } from './proxy-stage.ts';
import type { ToldModel } from './told-upstream.ts';
import { LARGE_BYTES, TOGETHER, WORD_COUNT } from './told-upstream.ts';

const { chat, streamChat } = LlmService.method;

/** A conversation for a model, as both clients take it. */
export function ask(model: ToldModel) {
  return { model, messages: [say(Role.USER, 'hello')] };
}

/** The same as JSON. */
export function askJson(model: ToldModel) {
  return { model, messages: [{ role: 'ROLE_USER', content: [{ text: 'hello' }] }] };
}

/** What is tried while both gateways go on; each returns a figure, or nothing, and rejects where it is not as it must be. */
export const CALL_CASES: Readonly<Partial<Record<ProxyCaseName, (stage: ProxyStage) => Promise<string>>>> = {
  'words-grpc': async ({ rpc }) => {
    const lags: number[] = [];
    const stream = rpc.stream(streamChat, ask('words'));
    for (let index = 0; ; index += 1) {
      const { event } = await stream.at(index);
      if (event.case === 'textDelta') lags.push(...lagsOf(event.value.text));
      if (event.case === 'finished') break;
    }
    return usual(lags);
  },
  'words-web': async ({ web }) => {
    const lags: number[] = [];
    const onData = (piece: Buffer): void => void lags.push(...lagsOf(piece.toString('latin1')));
    await web.stream(askJson('words'), { onData });
    return usual(lags);
  },
  'cancel-stream': async ({ rpc, upstream }) => {
    const before = upstream.callsOf('words').length;
    const stream = rpc.stream(streamChat, ask('words'));
    await stream.at(2);
    const { left } = await upstream.callAt('words', before);
    return heardOf(left, () => stream.cancel());
  },
  'cancel-unary': async ({ rpc, upstream }) => {
    const before = upstream.callsOf('silent').length;
    const controller = new AbortController();
    const call = rpcError(rpc.call(chat, ask('silent'), { signal: controller.signal }));
    const { left } = await upstream.callAt('silent', before);
    const heard = await heardOf(left, () => controller.abort());
    await call;
    return heard;
  },
  'cancel-web': async ({ web, upstream }) => {
    const figures: string[] = [];
    for (const call of [
      (signal: AbortSignal) => web.post('Chat', askJson('silent'), { signal }),
      (signal: AbortSignal) => web.stream(askJson('silent'), { signal }),
    ]) {
      const before = upstream.callsOf('silent').length;
      const controller = new AbortController();
      const ended = call(controller.signal).catch(() => undefined);
      const { left } = await upstream.callAt('silent', before);
      figures.push(await heardOf(left, () => controller.abort()));
      await ended;
    }
    return figures.join(', ');
  },
  'large-grpc': async ({ rpc, upstream }) => {
    const before = upstream.callsOf('large').length;
    const beganAtMs = performance.now();
    const image = { mediaType: 'image/png', source: { case: 'data' as const, value: png() } };
    const part = { part: { case: 'image' as const, value: image } };
    const answer = await rpc.call(chat, { model: 'large', messages: [{ role: Role.USER, content: [part] }] });
    // An answer so large has its text once, in the message.
    const text = answer.message?.content[0]?.part;
    checkLarge(text?.case === 'text' ? text.value : '', (await upstream.callAt('large', before)).bytes);
    return ms(performance.now() - beganAtMs);
  },
  'large-web': async ({ web, upstream }) => {
    const before = upstream.callsOf('large').length;
    const beganAtMs = performance.now();
    const part = { image: { data: png().toString('base64'), mediaType: 'image/png' } };
    const answer = await web.post('Chat', { model: 'large', messages: [{ role: 'ROLE_USER', content: [part] }] });
    insist(answer.status === 200, `HTTP ${answer.status}`);
    checkLarge(
      String(valueAt(jsonOf(answer.body), ['message', 'content', 0, 'text'])),
      (await upstream.callAt('large', before)).bytes,
    );
    return ms(performance.now() - beganAtMs);
  },
  together: async ({ rpc }) => {
    const beganAtMs = performance.now();
    const streams = Array.from({ length: TOGETHER }, () =>
      rpc.stream(streamChat, ask('together'), { deadlineMs: 10_000 }),
    );
    for (const { done } of streams) await done;
    return ms(performance.now() - beganAtMs);
  },
  'many-calls': async ({ rpc }) => {
    for (let call = 0; call < 3_000; call += 30)
      await Promise.all(Array.from({ length: 30 }, () => rpc.call(chat, ask('quick'))));
    return '';
  },
  'request-id': async ({ rpc, web }) => {
    const headers = { 'x-request-id': 'of-the-caller' };
    const answered = Promise.withResolvers<unknown>();
    await rpc.call(chat, ask('quick'), {
      metadata: headers,
      onHeaders: (received) => answered.resolve(received.get('x-request-id').join()),
    });
    insist((await answered.promise) === 'of-the-caller', `gRPC: ${String(await answered.promise)}`);
    const { requestId } = await rpcError(rpc.call(chat, { model: 'quick' }, { metadata: headers }));
    insist(requestId === 'of-the-caller', `gRPC, error: ${requestId}`);
    for (const request of [askJson('quick'), {}]) {
      const told = (await web.post('Chat', request, { headers })).headers['x-request-id'];
      insist(told === 'of-the-caller', `web: ${String(told)}`);
    }
    return '';
  },
  deadline: async ({ rpc, web }) => {
    // Without a deadline of the client's own: only the header tells it.
    const error = await rpcError(rpc.call(chat, ask('silent'), { metadata: { 'grpc-timeout': '700m' } }));
    insist(error.code === 'DEADLINE_EXCEEDED' && error.trail.length > 0, `gRPC: ${error.code}, ${error.message}`);
    const { status, body } = await web.post('Chat', askJson('silent'), { headers: { 'connect-timeout-ms': '700' } });
    insist(status === 504 && codeOf(body) === 'deadline_exceeded', `web: ${status} ${codeOf(body)}`);
    return '';
  },
  details: async ({ rpc, web }) => {
    const refused = await rpcError(rpc.call(chat, { model: 'quick' }));
    insist(refused.code === 'INVALID_ARGUMENT' && refused.fields.length > 0, `without an answer: ${refused.code}`);
    const failed = await rpcError(rpc.call(chat, ask('failing')));
    insist(failed.trail.length === 1 && failed.pushback === '-1', `before: ${failed.code}, ${failed.pushback}`);
    const stream = rpc.stream(streamChat, ask('cut'));
    const broken = await rpcError(stream.done);
    insist(stream.received.some(isText) && broken.code === 'ABORTED', `behind: ${broken.code}`);
    insist(broken.trail.length === 1 && broken.pushback === '-1', `behind: ${broken.pushback}`);
    const { status, headers, body } = await web.post('Chat', askJson('failing'));
    insist(status === 503 || status === 500, `web: ${status}`);
    const details = valueAt(jsonOf(body), ['details']);
    insist(Array.isArray(details) && details.length > 2, `web: ${codeOf(body)}`);
    insist(headers['grpc-retry-pushback-ms'] === '-1', `web: ${String(headers['grpc-retry-pushback-ms'])}`);
    return '';
  },
  repeats: async ({ rpc, web, upstream }) => {
    const before = upstream.callsOf('failing').length + upstream.callsOf('cut').length;
    await rpcError(rpc.call(chat, ask('failing')));
    await rpcError(rpc.stream(streamChat, ask('failing')).done);
    await rpcError(rpc.stream(streamChat, ask('cut')).done);
    await web.post('Chat', askJson('failing'));
    const calls = upstream.callsOf('failing').length + upstream.callsOf('cut').length - before;
    insist(calls === 4, `the provider was asked ${calls} times, not 4`);
    return '';
  },
};

/** Writes how a call ended that failed. */
export function endOf(error: unknown): string {
  if (error instanceof RpcError) return `${error.code} ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

function isText({ event }: StreamChatResponse): boolean {
  return event.case === 'textDelta';
}

/** How late those words are that a text has, each of which says when it was written. */
function lagsOf(text: string): number[] {
  return [...text.matchAll(/(\d+\.\d+) /g)].map(([, writtenAtMs]) => performance.now() - Number(writtenAtMs));
}

/** Single words are held up by whatever else the machine does; a proxy that buffers holds up most. */
function usual(lags: readonly number[]): string {
  insist(lags.length === WORD_COUNT, `${lags.length} words`);
  const median = lags.toSorted((one, other) => one - other)[WORD_COUNT / 2] ?? Infinity;
  insist(median < WORD_WITHIN_MS, `words came ${ms(median)} late`);
  return ms(median);
}

async function heardOf(left: Promise<number>, leave: () => void): Promise<string> {
  const leftAtMs = performance.now();
  leave();
  const timeout = new Promise<number>((resolve) => setTimeout(resolve, 5_000, Number.POSITIVE_INFINITY).unref());
  const tookMs = (await Promise.race([left, timeout])) - leftAtMs;
  insist(tookMs < CANCEL_WITHIN_MS, `the provider heard of it after ${ms(tookMs)}`);
  return ms(tookMs);
}

function checkLarge(text: string, bytes: number): void {
  insist(text.length > LARGE_BYTES, `an answer of ${text.length} characters`);
  insist(bytes > LARGE_BYTES, `a request of ${bytes} bytes`);
}

function png(): Buffer<ArrayBuffer> {
  const bytes = Buffer.alloc(LARGE_BYTES);
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return bytes;
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

function codeOf(body: Buffer): string {
  return String(valueAt(jsonOf(body), ['code']));
}

function ms(value: number): string {
  return value === Number.POSITIVE_INFINITY ? 'never' : `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;
}
