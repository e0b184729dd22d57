import { anthropic } from '../../src/providers/anthropic/messages-api.ts';
import { ollama } from '../../src/providers/ollama/chat-api.ts';
import { openai } from '../../src/providers/openai.ts';
import type { Failure } from '../../src/core/failure.ts';
import type { Adapter } from '../../src/providers/port/adapter.ts';

/** The dialects that the gateway speaks; any of them may be spoken by any server. */
export const DIALECTS = [
  ['Chat Completions', openai('chat_completions')],
  ['Responses', openai('responses')],
  ['Messages', anthropic],
  ['Ollama', ollama],
] as const satisfies readonly (readonly [name: string, adapter: Adapter])[];

/** How servers wrap the same words: what stands around them, by the server that does so. */
export const ENVELOPES: Readonly<Record<string, (words: string, status: number) => string>> = {
  'an error object': (words, status) =>
    json({ error: { message: words, type: 'BadRequestError', param: null, code: status } }),
  'no envelope, as of older vLLM': (words, status) =>
    json({ object: 'error', message: words, type: 'x', code: status }),
  'a list, as of Gemini': (words, status) => json([{ error: { code: status, message: words, status: 'INVALID' } }]),
  'the detail of FastAPI': (words) => json({ detail: words }),
  'a list of details': (words) => json({ detail: [{ loc: ['body'], msg: words, type: 'value_error' }] }),
  'a text, as of Ollama': (words) => json({ error: words }),
  'the envelope of Anthropic': (words) =>
    json({ type: 'error', error: { type: 'api_error', message: words }, request_id: 'req_1' }),
  'an error within an error': (words) => json({ error: { error: { message: words } } }),
  'an object for a message': (words) => json({ error: { message: { error: { message: words } } } }),
  'JSON in the message': (words) => json({ error: { message: json({ error: { message: words } }) } }),
  'JSON behind the name of an error': (words, status) =>
    json({ error: { message: `Error code: ${status} - ${json({ error: { message: words } })}` } }),
  'the error of a router': (words, status) =>
    json({
      error: {
        message: 'Provider returned error',
        code: status,
        metadata: { raw: json({ error: { message: words } }), provider_name: 'X' },
      },
    }),
  'plain text': (words) => words,
};

/** Reads an answer with an error status. */
export function refused(adapter: Adapter, status: number, body: string, headers = {}): Failure {
  return adapter.failure({ status, headers, body, wallMs: Date.parse('2026-11-29T12:00:00Z') });
}

function json(value: unknown): string {
  return JSON.stringify(value);
}
