import type { ChaosStep } from './chaos-upstream.ts';
import { chunk, head, lastChunk, respond } from './chaos-upstream.ts';

const ID = 'chatcmpl-1';
const USAGE = { prompt_tokens: 9, completion_tokens: 3, total_tokens: 12 };

/** Body of a whole answer of Chat Completions. */
export function completion(text: string, model = 'model-1'): string {
  const choice = { index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' };
  return JSON.stringify({ id: ID, object: 'chat.completion', model, choices: [choice], usage: USAGE });
}

/** One event of a stream of Chat Completions. */
export function event(delta: object, finishReason: string | null = null, model = 'model-1'): string {
  const choices = [{ index: 0, delta, finish_reason: finishReason }];
  return `data: ${JSON.stringify({ id: ID, object: 'chat.completion.chunk', model, choices })}\n\n`;
}

/** The event that begins every stream; no output yet. */
export const ROLE_EVENT = event({ role: 'assistant', content: '' });

/** The event with a piece of text. */
export function textEvent(text: string): string {
  return event({ content: text });
}

/** The events after the last piece of text. */
export const STREAM_END = `${event({}, 'stop')}data: ${JSON.stringify({
  id: ID,
  object: 'chat.completion.chunk',
  model: 'model-1',
  choices: [],
  usage: USAGE,
})}\n\ndata: [DONE]\n\n`;

/** The head of a stream. */
export const STREAM_HEAD: ChaosStep = head(200, {
  'content-type': 'text/event-stream',
  'transfer-encoding': 'chunked',
});

/** A whole good answer: of a stream in pieces, or as JSON. */
export function goodAnswer(streams: boolean, text: string): readonly ChaosStep[] {
  if (!streams) return [respond(200, 'application/json', completion(text))];
  return [STREAM_HEAD, chunk(ROLE_EVENT), chunk(textEvent(text)), chunk(STREAM_END), lastChunk];
}

/** An error in the form of OpenAI. */
export function errorAnswer(
  status: number,
  code: string | null,
  headers: Readonly<Record<string, string>> = {},
): ChaosStep[] {
  const body = JSON.stringify({ error: { message: 'Words of the provider.', type: code, code, param: null } });
  const all = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers };
  return [head(status, all), { do: 'send', bytes: body }];
}
