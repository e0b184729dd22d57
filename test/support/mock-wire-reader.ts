import { createParser } from 'eventsource-parser';

import type { ProviderName } from '../../src/core/provider.ts';
import type { HttpRequest, Transport } from '../../src/core/transport.ts';
import type { VirtualRuntime } from './virtual-runtime.ts';

/** A wire format as a test names it: the provider, the path of its API, and how a request looks. */
export interface WireUnderTest {
  readonly name: string;
  readonly provider: ProviderName;
  readonly path: string;
  readonly form: 'chat' | 'responses' | 'anthropic' | 'ollama';
}

/** Every wire format that the mock speaks. */
export const WIRES: readonly WireUnderTest[] = [
  { name: 'mock chat', provider: 'mock', path: '/v1/chat/completions', form: 'chat' },
  { name: 'openai chat', provider: 'openai', path: '/v1/chat/completions', form: 'chat' },
  { name: 'openai responses', provider: 'openai', path: '/v1/responses', form: 'responses' },
  { name: 'azure chat', provider: 'azure-openai', path: '/openai/v1/chat/completions', form: 'chat' },
  { name: 'azure responses', provider: 'azure-openai', path: '/openai/v1/responses', form: 'responses' },
  { name: 'deepseek', provider: 'deepseek', path: '/chat/completions', form: 'chat' },
  { name: 'anthropic', provider: 'anthropic', path: '/v1/messages', form: 'anthropic' },
  { name: 'ollama', provider: 'ollama', path: '/api/chat', form: 'ollama' },
];

/** What a test asks of the mock, whatever the wire format. */
export interface Question {
  readonly model: string;
  readonly stream: boolean;
  readonly text?: string;
  readonly maxTokens?: number;
  readonly stop?: string;
  /** Whether a function `find` with the parameters `word` (text) and `count` (integer) is offered. */
  readonly tool?: boolean;
  /** Whether that tool must be called: any, or it by its name; Ollama cannot be told so. */
  readonly toolChoice?: 'required' | 'named' | 'none';
  /** The JSON to answer with: of a schema, or any object, which Anthropic cannot be asked for. */
  readonly json?: object | 'any_object';
}

/** The schema of the arguments of `find`. */
export const SCHEMA = { type: 'object', properties: { word: { type: 'string' }, count: { type: 'integer' } } };

/** Writes a request in a wire format. */
export function requestFor(wire: WireUnderTest, question: Question): HttpRequest {
  const { model, stream, text = 'What is new?', maxTokens, stop, tool } = question;
  const more = { ...choiceIn(wire, question), ...formatIn(wire, question) };
  const turns = [{ role: 'user', content: text }];
  const named = { name: 'find', description: 'Finds words.' };
  const nested = tool === true ? { tools: [{ type: 'function', function: { ...named, parameters: SCHEMA } }] } : {};
  const bodies = {
    chat: {
      messages: turns,
      stream_options: { include_usage: true },
      max_completion_tokens: maxTokens,
      stop,
      ...nested,
    },
    responses: {
      input: [{ role: 'user', content: [{ type: 'input_text', text }] }],
      max_output_tokens: maxTokens,
      ...(tool === true ? { tools: [{ type: 'function', ...named, parameters: SCHEMA, strict: false }] } : {}),
    },
    anthropic: {
      messages: [{ role: 'user', content: [{ type: 'text', text }] }],
      max_tokens: maxTokens ?? 1000,
      stop_sequences: stop === undefined ? undefined : [stop],
      ...(tool === true ? { tools: [{ ...named, input_schema: SCHEMA }] } : {}),
    },
    ollama: { messages: turns, options: { num_predict: maxTokens, stop: stop === undefined ? [] : [stop] }, ...nested },
  } satisfies Record<WireUnderTest['form'], object>;
  return {
    method: 'POST',
    url: new URL(`http://mock.invalid${wire.path}`),
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, stream, ...bodies[wire.form], ...more }),
  };
}

function choiceIn({ form }: WireUnderTest, { toolChoice: choice }: Question): object {
  if (choice === undefined || form === 'ollama') return {};
  const named = {
    chat: { type: 'function', function: { name: 'find' } },
    responses: { type: 'function', name: 'find' },
    anthropic: { type: 'tool', name: 'find' },
  }[form];
  if (choice === 'named') return { tool_choice: named };
  if (form !== 'anthropic') return { tool_choice: choice };
  return { tool_choice: { type: choice === 'none' ? 'none' : 'any' } };
}

function formatIn({ form }: WireUnderTest, { json }: Question): object {
  if (json === undefined) return {};
  const schema = json === 'any_object' ? undefined : json;
  switch (form) {
    case 'chat': {
      const format = schema && { type: 'json_schema', json_schema: { name: 'asked', schema, strict: true } };
      return { response_format: format ?? { type: 'json_object' } };
    }
    case 'responses':
      return { text: { format: schema ? { type: 'json_schema', name: 'asked', schema } : { type: 'json_object' } } };
    case 'anthropic':
      return schema ? { output_config: { format: { type: 'json_schema', schema } } } : {};
    case 'ollama':
      return { format: schema ?? 'json' };
  }
}

/** What came over a transport, and when. */
export interface Exchanged {
  status: number | undefined;
  headers: Readonly<Record<string, string>>;
  /** Milliseconds from the call to the headers, to each chunk, to the end. */
  headersMs: number | undefined;
  readonly chunks: { readonly atMs: number; readonly bytes: Uint8Array }[];
  overMs: number | undefined;
  over: 'end' | 'error' | 'no';
  error: unknown;
}

/** Sends a request and notes what comes; nothing comes before time passes. */
export function exchange(transport: Transport, runtime: VirtualRuntime, request: HttpRequest): Exchanged {
  const beganAtMs = runtime.now();
  const since = (): number => runtime.now() - beganAtMs;
  const seen: Exchanged = {
    status: undefined,
    headers: {},
    headersMs: undefined,
    chunks: [],
    overMs: undefined,
    over: 'no',
    error: undefined,
  };
  const finish = (over: 'end' | 'error', error?: unknown): void => {
    if (seen.over !== 'no') throw new Error('the exchange was over already');
    Object.assign(seen, { over, error, overMs: since() });
  };
  transport.send(request, {
    onHeaders: (status, headers) => void Object.assign(seen, { status, headers, headersMs: since() }),
    onData: (bytes) => void seen.chunks.push({ atMs: since(), bytes: Uint8Array.from(bytes) }),
    onEnd: () => finish('end'),
    onError: (error) => finish('error', error),
  });
  return seen;
}

/** Returns the bytes of a body. */
export function bodyOf(seen: Exchanged): Buffer {
  return Buffer.concat(seen.chunks.map(({ bytes }) => bytes));
}

/** One event of a stream: its name, its JSON, or its text where that is no JSON. */
export interface StreamEvent {
  readonly name: string | undefined;
  readonly json: unknown;
  readonly raw: string;
}

/** Reads the events of a body: Server-Sent Events or lines. */
export function eventsOf(wire: WireUnderTest, body: Buffer): readonly StreamEvent[] {
  const text = new TextDecoder('utf-8').decode(body);
  if (wire.form === 'ollama') {
    return text.split('\n').flatMap((raw) => (raw === '' ? [] : [{ name: undefined, raw, json: jsonOf(raw) }]));
  }
  const events: StreamEvent[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => void events.push({ name: event, raw: data, json: jsonOf(data) }),
  });
  parser.feed(text);
  return events;
}

/** Parses JSON; `undefined` where the text is none. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Follows names and indexes into a value; `undefined` where the way ends. */
export function at(value: unknown, ...way: readonly (string | number)[]): unknown {
  let found = value;
  for (const step of way) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = Reflect.get(found, Array.isArray(found) && step === -1 ? found.length - 1 : step);
  }
  return found;
}
