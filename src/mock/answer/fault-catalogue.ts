/** When the pieces of an answer come, in milliseconds. */
export interface Pace {
  /** From the response headers to the first token. */
  readonly firstTokenMs: number;
  /** Between two tokens. */
  readonly tokenMs: number;
}

/** What the mock says: a sentence that depends on the question, or something special. */
export type Content = 'sentence' | 'multibyte' | 'echo' | 'refusal' | 'tool_call' | 'tool_calls' | 'nothing';

/** How an answer breaks off, or fails to end. */
type Break = 'cut' | 'stall' | 'error' | 'malformed' | 'no_end';

/** Kinds of errors that a provider answers with instead of an answer. */
export type ErrorKind =
  | 'bad_request'
  | 'auth'
  | 'quota'
  | 'not_found'
  | 'prompt_blocked'
  | 'context_length'
  | 'rate_limit'
  | 'server_error'
  | 'overloaded';

/** Why an answer ended. */
export type AnswerEnding = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'refusal';

/** An answer, good or broken. */
export interface AnswerScenario {
  readonly kind: 'answer';
  readonly content: Content;
  readonly pace: Pace;
  /** Whether reasoning text comes before the answer. */
  readonly reasoning?: boolean;
  /** The answer is withheld by the provider's filter from its middle on. */
  readonly filtered?: boolean;
  /** A limit of the output in tokens, beside that of the request. */
  readonly maxTokens?: number;
  /** Whether the headers of a whole (not streamed) answer come before the wait for it. */
  readonly headersFirst?: boolean;
  readonly broken?: Break;
}

/** What happens to a call: pure data, the same for every wire format. */
type Scenario =
  | AnswerScenario
  | {
      readonly kind: 'error';
      readonly error: ErrorKind;
      /** Value of Retry-After in seconds. */
      readonly retryAfterSeconds?: number;
      /** Whether a repeat of the same call is answered: odd calls fail, even ones succeed. */
      readonly thenOk?: boolean;
    }
  | { readonly kind: 'network'; readonly fault: 'reset' | 'silence' };

/** The model names that the mock knows, with one line on each. Any other name behaves as `mock-ok`. */
export const MOCK_MODELS = {
  'mock-ok': 'Answers with some 20 to 40 English words that depend on the last user message.',
  'mock-slow': 'Answers steadily but slowly: 800 ms before the first token, 50 ms between tokens.',
  'mock-429': 'Always rate limited, without Retry-After.',
  'mock-429-retry-after': 'Always rate limited, with Retry-After: 2.',
  'mock-429-then-ok': 'Rate limited with Retry-After: 1 on odd calls, answers on even ones.',
  'mock-quota': 'Always out of quota or credit, which no wait cures.',
  'mock-401': 'Refuses the credential.',
  'mock-404': 'Says that the model does not exist.',
  'mock-500-then-ok': 'Fails with an internal error on odd calls, answers on even ones.',
  'mock-500': 'Always fails with an internal error.',
  'mock-529': 'Always overloaded: status 529 from Anthropic, 503 from the others.',
  'mock-reset': 'The connection is reset before any header.',
  'mock-silence': 'Headers never come.',
  'mock-slow-first-token': 'Headers at once, the first token after 20 s.',
  'mock-stream-cut': 'The connection breaks after two thirds of the answer.',
  'mock-stall': 'The answer stops in its middle for ever; the connection stays open.',
  'mock-stream-error': 'An error event in the middle of the stream; whole answers fail with an internal error.',
  'mock-malformed': 'One malformed event in the middle of the stream; whole answers are invalid JSON.',
  'mock-no-end': 'All of the text, but the end marker is missing and the connection closes cleanly.',
  'mock-content-filter': 'The output filter stops the answer in its middle.',
  'mock-prompt-blocked': 'The content filter refuses the prompt with status 400.',
  'mock-context-length': 'Says that the prompt is too long for the model.',
  'mock-empty': 'Ends properly, without any output.',
  'mock-refusal': 'The model declines to answer, in the way that the API has for it.',
  'mock-reasoning': 'Reasoning text before the answer (hidden in Chat Completions of OpenAI and Azure, as there).',
  'mock-multibyte': 'Answers in Chinese, Japanese, emoji and accents, split inside characters.',
  'mock-echo': 'Answers with the last user message.',
  'mock-max-tokens': 'Stops at 12 tokens because of a token limit.',
  'mock-tool-call': 'Calls the first tool of the request with made-up arguments; answers once a tool result is there.',
  'mock-reasoning-tools':
    'Reasons, says a sentence and calls every tool of the request; answers once results are there.',
} as const satisfies Readonly<Record<`mock-${string}`, string>>;

/** A model name with a meaning of its own. */
type MockModel = keyof typeof MOCK_MODELS;

const LIVELY: Pace = { firstTokenMs: 5, tokenMs: 1 };

/** What `mock-ok` and every unknown name does. */
export const OK: AnswerScenario = { kind: 'answer', content: 'sentence', pace: LIVELY };

const SCENARIOS = {
  'mock-ok': OK,
  'mock-slow': { ...OK, pace: { firstTokenMs: 800, tokenMs: 50 } },
  'mock-429': { kind: 'error', error: 'rate_limit' },
  'mock-429-retry-after': { kind: 'error', error: 'rate_limit', retryAfterSeconds: 2 },
  'mock-429-then-ok': { kind: 'error', error: 'rate_limit', retryAfterSeconds: 1, thenOk: true },
  'mock-quota': { kind: 'error', error: 'quota' },
  'mock-401': { kind: 'error', error: 'auth' },
  'mock-404': { kind: 'error', error: 'not_found' },
  'mock-500-then-ok': { kind: 'error', error: 'server_error', thenOk: true },
  'mock-500': { kind: 'error', error: 'server_error' },
  'mock-529': { kind: 'error', error: 'overloaded' },
  'mock-reset': { kind: 'network', fault: 'reset' },
  'mock-silence': { kind: 'network', fault: 'silence' },
  'mock-slow-first-token': { ...OK, pace: { firstTokenMs: 20_000, tokenMs: 1 }, headersFirst: true },
  'mock-stream-cut': { ...OK, broken: 'cut' },
  'mock-stall': { ...OK, broken: 'stall' },
  'mock-stream-error': { ...OK, broken: 'error' },
  'mock-malformed': { ...OK, broken: 'malformed' },
  'mock-no-end': { ...OK, broken: 'no_end' },
  'mock-content-filter': { ...OK, filtered: true },
  'mock-prompt-blocked': { kind: 'error', error: 'prompt_blocked' },
  'mock-context-length': { kind: 'error', error: 'context_length' },
  'mock-empty': { ...OK, content: 'nothing' },
  'mock-refusal': { ...OK, content: 'refusal' },
  'mock-reasoning': { ...OK, reasoning: true },
  'mock-multibyte': { ...OK, content: 'multibyte' },
  'mock-echo': { ...OK, content: 'echo' },
  'mock-max-tokens': { ...OK, maxTokens: 12 },
  'mock-tool-call': { ...OK, content: 'tool_call' },
  'mock-reasoning-tools': { ...OK, content: 'tool_calls', reasoning: true },
} as const satisfies Record<MockModel, Scenario>;

/** Returns what happens to a call of a model. */
export function scenarioOf(model: string): Scenario {
  return isMockModel(model) ? SCENARIOS[model] : OK;
}

function isMockModel(model: string): model is MockModel {
  return Object.hasOwn(SCENARIOS, model);
}
