// A page that calls the web door of a gateway; scripts/bundle-page.mjs makes one module of it.
import { collect, createLlmClient, decodeError, type StreamChatResponse, userMessage } from '@understudy/client';

/** What became of a call of the page. */
interface Outcome {
  readonly text?: string;
  readonly isFinished?: boolean;
  /** When each piece of text came, in milliseconds of the page. */
  readonly atMs?: readonly number[];
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly requestId?: string;
  readonly fields?: readonly string[];
  readonly mayRetry?: boolean;
}

interface Ask {
  readonly prompt?: string;
  readonly model?: string;
  readonly timeoutMs?: number;
  readonly apiKey?: string;
}

async function outcomeOf(run: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await run();
  } catch (error) {
    const { code, reason, message, requestId, violations, mayRetry } = decodeError(error);
    return { code, reason, message, requestId, fields: violations.map(({ field }) => field), mayRetry };
  }
}

const page = {
  /** Streams to the end. */
  stream: (origin: string, { prompt = 'Say hello.', model = '', timeoutMs, apiKey }: Ask = {}) =>
    outcomeOf(async () => {
      const client = createLlmClient(origin, { apiKey });
      const atMs: number[] = [];
      const stream = client.streamChat({ messages: [userMessage(prompt)], model }, { timeoutMs });
      const { text } = await collect(stream, ({ event }: StreamChatResponse) => {
        if (event.case === 'textDelta') atMs.push(performance.now());
      });
      return { text, isFinished: true, atMs };
    }),
  /** Leaves a stream after three pieces of text; tells when, in milliseconds since 1970. */
  leave: async (origin: string, { prompt = 'Say hello.', model = '' }: Ask = {}) => {
    let pieces = 0;
    for await (const { event } of createLlmClient(origin).streamChat({ messages: [userMessage(prompt)], model })) {
      if (event.case === 'textDelta') pieces += 1;
      if (pieces === 3) break;
    }
    return { pieces, leftAtMs: Date.now() };
  },
  /** Makes a unary call. */
  generate: (origin: string, { prompt = '', model = '', timeoutMs, apiKey }: Ask = {}) =>
    outcomeOf(async () => {
      const { text } = await createLlmClient(origin, { apiKey }).generate({ prompt, model }, { timeoutMs });
      return { text };
    }),
  /** Lists the models. */
  models: async (origin: string) => {
    const ids: string[] = [];
    for await (const { id } of createLlmClient(origin).models()) ids.push(id);
    return ids;
  },
};

Object.assign(globalThis, { understudy: page });
